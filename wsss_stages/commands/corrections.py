"""Take corrected labels into a run.

    wsss import photos --corrections results/photos/review                 # of `wsss review photos`, in the same folder
    wsss import photos --corrections masks_from_gimp --who "A. Person"
    wsss import results/photos --corrections cvat_export.zip
    wsss import photos --drop cat_0017

The corrections are the folder of a review (wsss review), a folder of PNG masks named after the photographs (indices of classes, or the colours of
classes.txt), or an export of CVAT, Label Studio, LabelMe, YOLO, Datumaro, COCO or VOC, as folder or zip; photographs are not needed. A corrected mask
becomes the label of its image; corrected boxes and points take the place of the image's own. They are kept in results/NAME/corrections with who, when and
where from, the last correction of an image counts, and the dataset's folder stays as it is. The next run makes only again what depends on
the corrected images. Findings are reported together, and then nothing is taken.
"""

import argparse
import getpass
import sys
from pathlib import Path

from wsss_stages.commands import project as projects
from wsss_stages.stages import cli

FOLDER = "corrections"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=Path, metavar="FOLDER", help=projects.TARGET_HELP)
    parser.add_argument("--corrections", type=Path, metavar="FILE_OR_FOLDER", help="what was corrected")
    parser.add_argument("--results", type=Path, default=Path(), metavar="DIR", help=projects.RESULTS_HELP)
    parser.add_argument("--who", default="", metavar="NAME", help="the person who corrected (default: the user's name)")
    parser.add_argument("--drop", nargs="+", default=[], metavar="ID", help="forget the corrections of these images")
    asked = parser.parse_args(argv)
    if asked.corrections is None and not asked.drop:
        parser.error("found neither --corrections nor --drop; wanted one of them. See --help.")

    from wsss_stages.roads.corrections import drop, index_of, set_option, take

    results = projects.results_of(asked.target, asked.results)
    index, folder = index_of(results), results / FOLDER
    lines = drop(folder, asked.drop) if asked.drop else []
    if asked.corrections is not None:
        lines += take(asked.corrections, index, folder, asked.who or user())
    config = results / projects.FILE
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
