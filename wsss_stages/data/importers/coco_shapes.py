"""One annotation's box and mask, converted from the pixels that it was drawn on to those of the photograph.

- A missing box is that of the mask: the bounds of the polygons, or of the run-length code's pixels.
- A polygon of under three points beside good ones is left out. A segmentation without a point is no mask.
- Where the photograph has the annotated shape in another size, boxes and polygons are scaled; a run-length code is refused.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeGuard, cast

import numpy as np
from pycocotools import mask as coco_mask

from wsss_stages.data import rle
from wsss_stages.data.documents import is_number
from wsss_stages.data.importers.coco_content import identity

CLIPPED = "boxes clipped to the image"
OF_MASKS = "objects without a box, boxed by their mask"
STRAY = "polygons of under three points beside good ones, left out"
SHAPE_TOLERANCE = 0.02
"""Largest relative difference between the shapes of a photograph and of the annotated image, beside one pixel."""


class ProblemError(ValueError):
    """An annotation that cannot be used."""

    def __init__(self, found: str, wanted: str, remedy: str):
        super().__init__(found)
        self.found, self.wanted, self.remedy = found, wanted, remedy


@dataclass(frozen=True)
class Frame:
    """Height and width of a photograph, and of the image that its annotations were drawn on, pixels."""

    height: int
    width: int
    drawn_height: int
    drawn_width: int

    @property
    def resized(self) -> bool:
        return (self.height, self.width) != (self.drawn_height, self.drawn_width)


@dataclass
class Shape:
    """The place of an object."""

    corner: tuple[float, float, float, float]
    """x, y, width, height as drawn."""
    box: list[int] | None
    """x0 y0 x1 y1 of the photograph, half open, of whole pixels; None for a box without area."""
    code: dict | None
    """Run-length code of the mask at the photograph's size; None without a mask."""
    area: int = 0
    """Pixels of the mask."""

    def mask(self, frame: Frame) -> np.ndarray:
        """Return the mask, (height, width) bool, of an object that has one."""
        assert self.code is not None
        return rle.decode(self.code, frame.height, frame.width)


def fit(size: tuple[object, object], height: int, width: int) -> Frame | None:
    """Return how annotations made for a `size` (height, width; None or 0 where it is not known) lie in a photograph.

    None if the photograph has another shape, as one that is turned has, or if the size is none.
    """
    found = [0 if value is None else identity(value) for value in size]
    sides = [side for side in found if isinstance(side, int) and 0 <= side < 1 << 31]
    if len(sides) < len(found):
        return None
    if 0 in sides:
        drawn_height, drawn_width = sides[0] or height, sides[1] or width
        return Frame(height, width, height, width) if (drawn_height, drawn_width) == (height, width) else None
    drawn_height, drawn_width = sides
    off = abs(height * drawn_width - width * drawn_height)
    same_shape = off <= max(sides) and off <= SHAPE_TOLERANCE * width * drawn_height
    return Frame(height, width, drawn_height, drawn_width) if same_shape else None


def read_shape(annotation: dict, frame: Frame, note: Callable[[str], None]) -> Shape:
    """Return an annotation's box and mask.

    Raises ProblemError. Values that are read differently from how they are stored are noted.
    """
    polygons, code, area = _segmentation(annotation.get("segmentation"), frame, note)
    corner = annotation.get("bbox")
    if corner is not None and corner != []:
        _check_box(corner, frame)
    elif code is None:
        raise ProblemError(f"box {corner} and no mask", "four finite numbers x, y, width, height", "Draw the box.")
    else:
        corner = _bounds(polygons, code, frame)
        note(OF_MASKS)
    x, y, w, h = map(float, corner)
    corner = x, y, w, h
    box, clipped = _whole_pixels(corner, frame)
    if clipped:
        note(CLIPPED)
    return Shape(corner, box, code, area)


def _segmentation(shape: object, frame: Frame, note: Callable[[str], None]) -> tuple[list[list], dict | None, int]:
    """Return the good polygons of a segmentation as drawn, the run-length code (None without a mask) and the pixels
    of either.
    """
    if not shape or (isinstance(shape, list) and all(part == [] for part in shape)):
        return [], None, 0
    height, width = frame.height, frame.width
    if isinstance(shape, dict):
        if frame.resized:
            found = f"a run-length code for a photograph of {frame.drawn_width}x{frame.drawn_height} pixels"
            raise ProblemError(found, f"one of {width}x{height}", "Take the photographs that were annotated.")
        try:
            area = int(rle.decode(shape, height, width).sum())
        except rle.RleError as error:
            raise ProblemError(str(error), f"runs of all {height * width} pixels", "Export the mask again.") from error
        return [], shape, area
    wanted = "lists of finite numbers x, y, x, y ... of three points or more"
    if not isinstance(shape, list) or not all(map(_numbers, shape)):
        raise ProblemError("an invalid polygon", wanted, "Draw it again.")
    good = [part for part in shape if len(part) >= 6]
    if not good or any(len(part) % 2 for part in good):
        raise ProblemError("an invalid polygon", wanted, "Draw it again.")
    for _ in range(len(shape) - len(good)):
        note(STRAY)
    if any(not _inside(p[0::2], frame.drawn_width) or not _inside(p[1::2], frame.drawn_height) for p in good):
        found = "a polygon outside the image"
        raise ProblemError(
            found, f"0 <= x <= {frame.drawn_width}, 0 <= y <= {frame.drawn_height}", "Clip or remove it."
        )
    scale = np.array([width / frame.drawn_width, height / frame.drawn_height])
    points = [(np.reshape(part, (-1, 2)) * scale).ravel().tolist() for part in good]
    code = coco_mask.merge(coco_mask.frPyObjects(points, height, width))
    area = int(coco_mask.area(code))
    return good, {"size": [height, width], "counts": cast(bytes, code["counts"]).decode("ascii")}, area


def _bounds(polygons: list[list], code: dict, frame: Frame) -> list:
    """Return x, y, width, height of polygons, or of a code's pixels; width and height 0 without pixels."""
    if polygons:
        xs, ys = ([value for part in polygons for value in part[axis::2]] for axis in (0, 1))
        return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
    ys, xs = np.nonzero(rle.decode(code, frame.height, frame.width))
    if not len(xs):
        return [0, 0, 0, 0]
    return [int(xs.min()), int(ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1]


def _check_box(numbers: object, frame: Frame) -> None:
    if not _numbers(numbers) or len(numbers) != 4:
        raise ProblemError(f"box {numbers}", "four finite numbers x, y, width, height", "Draw the box again.")
    x, y, w, h = numbers
    if w < 0 or h < 0:
        raise ProblemError(f"box {numbers}", "a width and height from 0", "Swap the corners.")
    if not _inside([x, x + w], frame.drawn_width) or not _inside([y, y + h], frame.drawn_height):
        wanted = f"0 <= x <= {frame.drawn_width}, 0 <= y <= {frame.drawn_height}"
        raise ProblemError(f"box {numbers} outside the image", wanted, "Clip or remove it.")


def _whole_pixels(corner: tuple[float, float, float, float], frame: Frame) -> tuple[list[int] | None, bool]:
    """Return the pixels of the photograph that a box touches, None for none, and whether it was clipped to the
    photograph.
    """
    x, y, w, h = corner
    if w == 0 or h == 0:
        return None, False
    across, down = frame.width / frame.drawn_width, frame.height / frame.drawn_height
    begin = [math.floor(round(x * across, 3)), math.floor(round(y * down, 3))]
    end = [math.ceil(round((x + w) * across, 3)), math.ceil(round((y + h) * down, 3))]
    box = [max(0, begin[0]), max(0, begin[1]), min(frame.width, end[0]), min(frame.height, end[1])]
    return box if box[0] < box[2] and box[1] < box[3] else None, box != begin + end


def _numbers(values: object) -> TypeGuard[list]:
    return isinstance(values, list) and all(map(is_number, values))


def _inside(values: list, size: int) -> bool:
    return all(-1 <= v <= size + 1 for v in values)
