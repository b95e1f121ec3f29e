"""The corrected labels of one image, in pixels of its photograph."""

from dataclasses import dataclass

import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.data.findings import DefectError
from wsss_stages.data.record import Record


@dataclass
class Correction:
    """Labels that a person gave an image; a later correction of the image takes the place of an earlier one."""

    image: str
    how: str
    """painted, accepted, boxes, points, or the format of an export."""
    mask: np.ndarray | None = None
    """(h, w) uint8 classes, 255 left open."""
    boxes: list[list[int]] | None = None
    """x0 y0 x1 y1 of every object, half open; None: the boxes are not corrected."""
    box_classes: list[int] | None = None
    points: list[list[int]] | None = None
    """x, y, class; 0 is a click on the background."""
    who: str = ""
    when: str = ""
    """Time in ISO 8601; empty: that of the import."""


def check(correction: Correction, record: Record, classes: int) -> None:
    """Raise DefectError unless a correction fits its image: size, class numbers, and an object where the image shows one."""
    size = record.full_height, record.full_width
    if correction.mask is not None:
        _check_mask(correction.mask, record, classes)
    boxes = correction.boxes or []
    for box, cls in zip(boxes, correction.box_classes or [], strict=True):
        x0, y0, x1, y1 = box
        if not (0 <= x0 < x1 <= size[1] and 0 <= y0 < y1 <= size[0] and 0 < cls < classes):
            wanted = f"one within {size[1]}x{size[0]} pixels, of class 1..{classes - 1}"
            raise DefectError(f"the box {box} of class {cls}", wanted, "Draw it again.")
    for x, y, cls in correction.points or []:
        if not (0 <= x < size[1] and 0 <= y < size[0] and 0 <= cls < classes):
            wanted = f"one within {size[1]}x{size[0]} pixels, of class 0..{classes - 1}"
            raise DefectError(f"the point {[x, y]} of class {cls}", wanted, "Draw it again.")


def _check_mask(mask: np.ndarray, record: Record, classes: int) -> None:
    height, width = mask.shape
    if (height, width) != (record.full_height, record.full_width):
        wanted = f"{record.full_width}x{record.full_height} like the image"
        raise DefectError(
            f"a mask of {width}x{height} pixels", wanted, "Resize with nearest neighbour, or export it again."
        )
    values = set(np.unique(mask).tolist())
    if strange := sorted(values - {*range(classes), UNKNOWN}):
        wanted = f"0..{classes - 1} or {UNKNOWN}"
        raise DefectError(
            f"a mask with the classes {strange[:5]}", wanted, "Check the classes of the tool that wrote it."
        )
    if not values - {0, UNKNOWN} and record.tags:
        found = "an empty mask, of an image whose labels show an object"
        raise DefectError(found, "a pixel of a class", "Paint the object, or leave the image out.")
