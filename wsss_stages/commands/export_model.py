"""Write a trained network for other programs: wsss export --model onnx|torchscript

    wsss export --model onnx --weights weights.safetensors --out model.onnx
    wsss export --model torchscript --weights weights.safetensors --out model.pt --probabilities

reads   weights.safetensors   of s7_segment, rrm_train or dfr_train
writes  OUT                   the model, whose preparation of photographs is inside: image, (height, width, 3) uint8 RGB of any size, to
                              labels, (height, width) uint8, and with --probabilities (classes, height, width) float32

Names and colours of the classes are metadata of the file. It works at one scale, without mirror or CRF, at the size that it is given. What was
written is compared with the network at several sizes; where fewer than 99.9 % of the labels are the same, nothing is written.
docs/run_onnx.py runs a model without torch. Wanted: pip install 'wsss-stages[export]'.
"""

import argparse
import sys
from pathlib import Path

from wsss_stages.stages import cli
from wsss_stages.store import provenance

FORMATS = ("onnx", "torchscript")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, choices=FORMATS, help="format")
    parser.add_argument(
        "--weights", required=True, type=Path, metavar="PATH", help="weights.safetensors of a segmenter"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="PATH", help="file to write")
    parser.add_argument("--probabilities", action="store_true", help="let the model give probabilities too")
    parser.add_argument(
        "--classes",
        default="",
        help="names of the classes, with commas, or a file: index.json or a name a line (default: those in the weights)",
    )
    parser.add_argument(
        "--max-side",
        type=int,
        default=1024,
        metavar="INT",
        help="longest side to which programs should reduce photographs first, pixels, as data.max_side of the training; only recorded "
        "(default 1024)",
    )
    asked = parser.parse_args(argv)
    from wsss_stages.roads.model_export import export_model

    provenance.reads(asked.weights)
    provenance.writes(asked.out)
    share = export_model(asked.weights, asked.model, asked.out, asked.classes, asked.probabilities, asked.max_side)
    sys.stdout.write(
        f"{asked.out}: {asked.model}, {share:.2%} of labels are the network's at the size where most differ\n"
    )


if __name__ == "__main__":
    cli.run(main)
