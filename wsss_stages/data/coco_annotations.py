"""One image's annotations of COCO's instances JSON: which objects they are, what they cover, and what is wrong with them.

Rules, of an annotation:
- an unknown category, a box or polygon more than a pixel outside the image, numbers that are none, and a broken run-length code are
  findings: nothing is imported until they are mended;
- a box up to a pixel outside is clipped; boxes are widened to whole pixels;
- a crowd region is no object: unknown (255) in truth, and without a box;
- an object of fewer than SMALLEST pixels, or with a box that has no area, is unknown in truth, and without a box;
- an object without a mask leaves its image without truth, its box is used.
Where objects overlap, the pixel is the smaller one's.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from pycocotools import mask as coco_mask

from wsss_stages import UNKNOWN
from wsss_stages.data import rle
from wsss_stages.data.documents import is_number

SMALLEST = 10
"""Pixels of an object's mask."""
CROWD = "crowd regions, unknown in truth and without box"
TINY = f"objects under {SMALLEST} pixels, unknown in truth and without box"
CLIPPED = "boxes clipped to the image"
BOX_ONLY = "images with objects that have no mask, without truth"
COVERED = "objects covered by smaller ones, not in truth"
EMPTY = "images without objects"


@dataclass
class Found:
    """What an image's annotations come to."""

    boxes: list[list[int]] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)
    labels: np.ndarray | None = None
    """(h, w) uint8 classes, 255 unknown; None without truth."""
    instances: np.ndarray | None = None
    """(h, w) uint8 number of the object, from 1, 255 unknown."""
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    """Found, wanted, remedy."""
    notes: dict[str, int] = field(default_factory=dict)

    def note(self, text: str) -> None:
        self.notes[text] = self.notes.get(text, 0) + 1


def read(annotations: list[dict], height: int, width: int, class_of: dict[int, int]) -> Found:
    """Objects of an image. `class_of` maps category ids to classes 1..N."""
    found, masks, unknown = Found(), [], []
    whole = True
    for annotation in annotations:
        name = f"annotation {annotation.get('id')}"
        try:
            cls = _class(annotation, class_of)
            box = _box(annotation, height, width, found)
            mask = _mask(annotation, height, width)
        except ProblemError as problem:
            found.problems.append((f"{name} with {problem.found}", problem.wanted, problem.remedy))
            continue
        if annotation.get("iscrowd"):
            found.note(CROWD)
            unknown.append(mask)
        elif box is None or (mask is not None and mask.sum() < SMALLEST):
            found.note(TINY)
            unknown.append(mask)
        else:
            found.boxes.append(box)
            found.classes.append(cls)
            masks.append(mask)
        whole = whole and mask is not None
    if len(masks) >= UNKNOWN:
        found.problems.append(
            (f"{len(masks)} objects in one image", f"fewer than {UNKNOWN}", "Cut the image into parts.")
        )
    elif whole:
        _draw(found, masks, unknown, height, width)
    else:
        found.note(BOX_ONLY)
    if not found.boxes:
        found.note(EMPTY)
    return found


class ProblemError(ValueError):
    """Why an annotation cannot be used."""

    def __init__(self, found: str, wanted: str, remedy: str):
        super().__init__(found)
        self.found, self.wanted, self.remedy = found, wanted, remedy


def _draw(found: Found, masks: list, unknown: list, height: int, width: int) -> None:
    found.labels, found.instances = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    for mask in unknown:
        found.labels[mask] = found.instances[mask] = UNKNOWN
    for number in sorted(range(len(masks)), key=lambda n: -int(masks[n].sum())):
        found.labels[masks[number]], found.instances[masks[number]] = found.classes[number], number + 1
    seen = np.isin(np.arange(1, len(masks) + 1), found.instances)
    for _ in range(int((~seen).sum())):
        found.note(COVERED)


def _class(annotation: dict, class_of: dict[int, int]) -> int:
    category = annotation.get("category_id")
    if type(category) is not int or category not in class_of:
        raise ProblemError(
            f"category {category}", f"one of the file's {len(class_of)} categories", "Correct it or add the category."
        )
    return class_of[category]


def _box(annotation: dict, height: int, width: int, found: Found) -> list[int] | None:
    """x0 y0 x1 y1, half open, of whole pixels; None for a box without area."""
    numbers = annotation.get("bbox")
    if not _numbers(numbers) or len(numbers) != 4:
        raise ProblemError(f"box {numbers}", "four finite numbers x, y, width, height", "Draw the box again.")
    x, y, w, h = numbers
    if w < 0 or h < 0:
        raise ProblemError(f"box {numbers}", "a width and height from 0", "Swap the corners.")
    if not _inside([x, x + w], width) or not _inside([y, y + h], height):
        raise ProblemError(
            f"box {numbers} outside the image", f"0 <= x <= {width}, 0 <= y <= {height}", "Clip or remove it."
        )
    if w == 0 or h == 0:
        return None
    ends = [math.floor(round(x, 3)), math.floor(round(y, 3)), math.ceil(round(x + w, 3)), math.ceil(round(y + h, 3))]
    box = [max(0, ends[0]), max(0, ends[1]), min(width, ends[2]), min(height, ends[3])]
    if box != ends:
        found.note(CLIPPED)
    return box if box[0] < box[2] and box[1] < box[3] else None


def _mask(annotation: dict, height: int, width: int) -> np.ndarray | None:
    """(height, width) bool; None without a mask."""
    shape = annotation.get("segmentation")
    if not shape:
        return None
    if isinstance(shape, dict):
        try:
            return rle.decode(shape, height, width)
        except rle.RleError as error:
            raise ProblemError(str(error), f"runs of all {height * width} pixels", "Export the mask again.") from error
    if not isinstance(shape, list) or any(not _numbers(p) or len(p) < 6 or len(p) % 2 for p in shape):
        raise ProblemError(
            "a polygon that is none", "lists of finite numbers x, y, x, y ... of three points or more", "Draw it again."
        )
    if any(not _inside(p[0::2], width) or not _inside(p[1::2], height) for p in shape):
        raise ProblemError(
            "a polygon outside the image", f"0 <= x <= {width}, 0 <= y <= {height}", "Clip or remove it."
        )
    code = coco_mask.merge(coco_mask.frPyObjects(shape, height, width))
    return rle.decode({"size": [height, width], "counts": code["counts"].decode("ascii")}, height, width)


def _numbers(values: object) -> bool:
    return isinstance(values, list) and all(map(is_number, values))


def _inside(values: list, size: int) -> bool:
    return all(-1 <= v <= size + 1 for v in values)
