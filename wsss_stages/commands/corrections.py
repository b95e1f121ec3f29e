"""Take corrected labels into a run: python -m wsss_stages.commands.corrections FILE_OR_FOLDER --results results/NAME

    python -m wsss_stages.commands.corrections results/mine/review --results results/mine
    python -m wsss_stages.commands.corrections masks_from_gimp --results results/mine --who "A. Person"
    python -m wsss_stages.commands.corrections cvat_export.zip --results results/mine
    python -m wsss_stages.commands.corrections --drop cat_0017 --results results/mine

FILE_OR_FOLDER is the folder of a review (python -m wsss_stages.commands.review), a folder of PNG masks named after the photographs (indices of
classes, or the colours of classes.txt), or an export of CVAT, Label Studio, LabelMe, YOLO, Datumaro, COCO or VOC, as folder or zip; photographs
are not needed. A corrected mask becomes the label of its image; corrected boxes and points take the place of the image's own. They are kept in
results/NAME/corrections with who, when and where from, the last correction of an image counts, and the dataset's folder stays as it is. The next
`snakemake` makes only again what depends on the corrected images. Findings are reported together, and then nothing is taken.
"""

import argparse
import getpass
import sys
from pathlib import Path

from wsss_stages.stages import cli

FOLDER, CONFIG = "corrections", "wsss.yaml"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, nargs="?", metavar="FILE_OR_FOLDER")
    parser.add_argument("--results", type=Path, required=True, metavar="results/NAME", help="results of the dataset")
    parser.add_argument("--who", default="", metavar="NAME", help="the person who corrected (default: the user's name)")
    parser.add_argument("--drop", nargs="+", default=[], metavar="ID", help="forget the corrections of these images")
    asked = parser.parse_args(argv)
    if asked.source is None and not asked.drop:
        parser.error("found neither FILE_OR_FOLDER nor --drop; wanted one of them. See --help.")

    from wsss_stages.roads.corrections import drop, index_of, set_option, take

    index, folder = index_of(asked.results), asked.results / FOLDER
    lines = drop(folder, asked.drop) if asked.drop else []
    if asked.source is not None:
        lines += take(asked.source, index, folder, asked.who or user())
    config = asked.results / CONFIG
    if config.is_file():
        set_option(config, folder)
        lines.append(f"{config}: data.corrections is {folder}; run again to use the corrections")
    else:
        lines.append(f"To use them set this in your configuration, then run again:\ndata:\n  corrections: {folder}")
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def user() -> str:
    """Return the name that the system has for the user; empty where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


if __name__ == "__main__":
    cli.run(main)
