"""Masks of single objects, kept as the rectangle of pixels that they cover."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Patch:
    """A mask inside an image; outside the rectangle there is none of it."""

    top: int
    left: int
    pixels: np.ndarray
    """(h, w) bool; without a row or column at its edges that is empty, and of no row for a mask without a pixel."""

    @classmethod
    def of(cls, mask: np.ndarray, top: int = 0, left: int = 0) -> "Patch":
        """Return the patch of a (h, w) bool mask whose corner lies at `top`, `left` of the image."""
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            return cls(top, left, np.zeros((0, 0), bool))
        inner = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return cls(top + int(rows[0]), left + int(columns[0]), inner.copy())

    @property
    def area(self) -> int:
        """Return the number of pixels."""
        return int(np.count_nonzero(self.pixels))

    @property
    def box(self) -> list[int]:
        """Return the tight box x0 y0 x1 y1, half open."""
        height, width = self.pixels.shape
        return [self.left, self.top, self.left + width, self.top + height]

    def paint(self, canvas: np.ndarray, value: int) -> None:
        """Set the mask's pixels of an image, (height, width), that it lies inside."""
        x0, y0, x1, y1 = self.box
        canvas[y0:y1, x0:x1][self.pixels] = value

    def full(self, height: int, width: int) -> np.ndarray:
        """Return (height, width) bool."""
        canvas = np.zeros((height, width), bool)
        self.paint(canvas, 1)
        return canvas

    def same(self, other: "Patch") -> bool:
        """Return whether two masks have the same pixels."""
        return self.box == other.box and bool((self.pixels == other.pixels).all())


def union(patches: Iterable[Patch]) -> Patch:
    """Return the pixels of any of the masks, of which there is at least one."""
    given = list(patches)
    parts = [patch for patch in given if patch.area]
    if len(parts) < 2:
        return (parts or given)[0]
    boxes = np.array([patch.box for patch in parts])
    (left, top), (right, bottom) = boxes[:, :2].min(axis=0).tolist(), boxes[:, 2:].max(axis=0).tolist()
    canvas = np.zeros((bottom - top, right - left), bool)
    for patch in parts:
        Patch(patch.top - top, patch.left - left, patch.pixels).paint(canvas, 1)
    return Patch(top, left, canvas)


def iou(one: Patch, other: Patch) -> float:
    """Return the intersection of two masks over their union; 1 for two masks without a pixel."""
    both = union([one, other])
    if not both.area:
        return 1.0
    return (one.area + other.area - both.area) / both.area
