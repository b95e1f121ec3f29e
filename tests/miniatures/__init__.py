"""Miniatures of the published datasets: a dozen drawn pictures in the exact layout of the published files.

    python -m tests.miniatures NAME FOLDER

NAME is one of MINIATURES; FOLDER is what a user would name as `dataset_root`, and may hold several miniatures (voc2012, then sbd). From Python:
`write("voc2012", folder)`. Every picture is drawn from its id, so two calls write the same bytes.
"""

from collections.abc import Callable
from pathlib import Path

from tests.miniatures import coco, coco20i, context, pascal5i, points, sbd, scribbles, voc2012

MINIATURES: dict[str, Callable[[Path], None]] = {
    "voc2012": voc2012.write,
    "sbd": sbd.write,
    "scribblesup": scribbles.write,
    "whats_the_point": points.write,
    "context": context.write,
    "coco2014": coco.write_2014,
    "coco2017": coco.write_2017,
    "pascal5i": pascal5i.write,
    "coco20i": coco20i.write,
}


def write(name: str, folder: Path) -> Path:
    """Write the miniature of a dataset into a folder, and return it. Raises KeyError for another name."""
    MINIATURES[name](folder)
    return folder
