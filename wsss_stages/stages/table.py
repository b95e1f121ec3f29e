"""Compare label maps of several variants: one row per map, as CSV to compute with and HTML to look at.

reads   scores.json            of s9_evaluate on the training images, one per variant
writes  TABLE.csv TABLE.html   in FOLDER: labels that every variant shares, then graph_label and pseudo of each
"""

import argparse
import csv
import io
from pathlib import Path

SHARED = {
    "boxes": "boxes filled",
    "grabcut": "GrabCut",
    "cam_label": "CAM",
    "expanded": "superpixels",
    "seeds": "seeds M_g",
    "object_label": "soft masks of boxes",
    "random_walk": "random walk",
}
OWN = {"graph_label": "A²GNN", "pseudo": "A²GNN + CRF"}


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--scores", nargs="+", required=True, metavar="VARIANT=PATH", help="the first gives the shared rows"
    )
    parser.add_argument("--title", required=True, help="heading of the table")
    parser.add_argument("--table", type=Path, required=True, help="path to write, without suffix")
    paths = parser.parse_args(argv)

    from wsss_stages import artifacts, figures

    scores = {}
    for text in paths.scores:
        variant, _, path = text.partition("=")
        scores[variant] = artifacts.read_json(Path(path))
    first = next(iter(scores.values()))
    rows = [[title, *_numbers(first["rows"][name])] for name, title in SHARED.items() if name in first["rows"]]
    for variant, found in scores.items():
        rows += [[f"{title}, {variant}", *_numbers(found["rows"][name])] for name, title in OWN.items()]
    header = ["labels", "mIoU %", "boundary IoU %"]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    note = f"{first['dataset']}, {first['split']}, {first['images']} images; unknown pixels count as background."
    for suffix, content in ((".csv", text.getvalue()), (".html", figures.html_table(paths.title, note, header, rows))):
        with artifacts.whole(paths.table.with_suffix(suffix)) as partial:
            partial.write_text(content)


def _numbers(row: dict) -> list[float | None]:
    return [None if row[name] is None else round(100 * row[name], 2) for name in ("miou", "boundary_iou")]


if __name__ == "__main__":
    from wsss_stages.stages import cli

    cli.run(main)
