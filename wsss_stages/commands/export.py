"""Write masks or boxes of a run in another tool's format: wsss export RESULTS --to FORMAT --out FOLDER

    wsss export results/mine/box/ours --to cvat --out masks_for_cvat --objects
    wsss export results/mine/box/ours --to yolo --out dataset --what prediction --photographs

RESULTS is the folder of a variant, results/DATASET/WEAK/VARIANT; for truth and boxes results/DATASET is enough. Formats: voc, coco (run-length
codes and scores), yolo (polygons, and data.yaml), cvat (annotations.xml with brush masks, to be uploaded to a task that has the
photographs), label-studio (tasks.json with predictions and scores, and the project's label_config.xml), labelme (a JSON per photograph), png
(label maps), voc-test (predictions in the folder and the archive that VOC 2012's test server takes). Every mask is read again from what was
written; the IoU with the master is printed. An export without an object is an error.

With --model onnx|torchscript a trained network is written instead: --model onnx --help.
"""

import argparse
import sys
from pathlib import Path

from wsss_stages.commands import export_model
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    words = sys.argv[1:] if argv is None else argv
    if any(word.partition("=")[0] == "--model" for word in words):
        export_model.main(words)
        return
    from wsss_stages.data.exporters.formats import FORMATS

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, metavar="RESULTS")
    parser.add_argument("--to", required=True, choices=list(FORMATS), help="format")
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="new or empty folder to write into")
    parser.add_argument(
        "--what",
        default="pseudo",
        choices=("pseudo", "prediction", "truth", "boxes"),
        help="pseudo labels of the training images (default), predictions of the validation images, true masks, or boxes",
    )
    parser.add_argument(
        "--objects",
        action="store_true",
        help="a mask per object: numbered true objects, detections of at least 0.5, the label map inside boxes, or else connected "
        "parts of a class; without it a mask per class",
    )
    parser.add_argument("--photographs", action="store_true", help="copy the photographs into the export")
    asked = parser.parse_args(words)
    from wsss_stages.roads.export import export
    from wsss_stages.roads.exported import Pictures, Run

    objects = asked.objects or asked.what == "boxes"
    run = Run.open(asked.results, asked.what, objects)
    index = run.index
    photographs = index.root if asked.photographs else None
    pictures = Pictures(run, asked.what, objects)
    made = export(pictures, asked.to, asked.out, index.classes, index.dataset, photographs)
    kind = "boxes" if asked.what == "boxes" else "objects" if objects else "classes of images"
    sys.stdout.write(f"{asked.out}: {made.things} {kind} in {made.images} images\n{made.trip}\n")
    for text, note in {**run.notes, **pictures.notes, **made.notes}.items():
        sys.stdout.write(f"{text}: {note}\n")


if __name__ == "__main__":
    cli.run(main)
