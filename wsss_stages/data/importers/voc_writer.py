"""Weak labels in the files of a folder in VOC layout, as data.weak_labels reads them."""

import csv
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image

from wsss_stages.store.artifacts import whole
from wsss_stages.store.palette import VOC_PALETTE


def write_boxes(path: Path, height: int, width: int, boxes: list[tuple[str, tuple[int, int, int, int]]]) -> None:
    """Write a VOC annotation of names and boxes (x0 y0 x1 y1, 0-based, half open); VOC's are 1-based and inclusive."""
    objects = "".join(
        f"<object><name>{escape(name)}</name><bndbox><xmin>{x0 + 1}</xmin><ymin>{y0 + 1}</ymin>"
        f"<xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox></object>\n"
        for name, (x0, y0, x1, y1) in boxes
    )
    size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    with whole(path) as partial:
        partial.write_text(f"<annotation>{size}\n{objects}</annotation>\n")


def write_labels(path: Path, labels: np.ndarray) -> None:
    """Write (h, w) uint8 classes as a palette PNG in VOC's colours."""
    image = Image.fromarray(labels)
    image.putpalette(VOC_PALETTE)
    with whole(path) as partial:
        image.save(partial, format="PNG")


def write_tags(path: Path, tags: dict[str, list[str]]) -> None:
    """Write one line `id,class` per image and class; an image without objects has an empty class."""
    with whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", "class"])
        writer.writerows([image_id, name] for image_id, names in tags.items() for name in names or [""])
