"""The raster that boxes were drawn on, known by the size in their file, and the mapping from it to the upright
photograph.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Fit = Literal["same", "scaled", "turned", "turned and scaled"]


@dataclass(frozen=True)
class Frame:
    """An upright photograph and the raster that its boxes belong to. Sizes are in pixels."""

    height: int
    width: int
    orientation: int = 1
    """EXIF's, if the boxes belong to the raster as it was stored, before it was turned upright; else 1."""
    scale_y: float = 1.0
    scale_x: float = 1.0
    """Scale from the upright photograph to the boxes' raster, turned upright."""

    @property
    def fit(self) -> Fit:
        """Return how the raster differs from the upright photograph."""
        scaled = (self.scale_y, self.scale_x) != (1.0, 1.0)
        if self.orientation > 1:
            return "turned and scaled" if scaled else "turned"
        return "scaled" if scaled else "same"

    def boxes(self, boxes: np.ndarray) -> np.ndarray:
        """Return boxes (k, 4) float x0 y0 x1 y1, half open, of the raster as boxes of the upright photograph."""
        scale = np.array([self.scale_x, self.scale_y] * 2)
        size = self.width / self.scale_x, self.height / self.scale_y
        return upright(boxes, self.orientation, *size) * scale


def upright(boxes: np.ndarray, orientation: int, width: float, height: float) -> np.ndarray:
    """Return boxes (k, 4) of a stored raster after it was turned by EXIF's orientation.

    Args:
        width, height: of the raster after it was turned.
    """
    x0, y0, x1, y1 = boxes.T
    if orientation >= 5:
        x0, y0, x1, y1 = y0, x0, y1, x1
    if orientation in (2, 3, 6, 7):
        x0, x1 = width - x1, width - x0
    if orientation in (3, 4, 7, 8):
        y0, y1 = height - y1, height - y0
    return np.stack([x0, y0, x1, y1], axis=1)


def frame(height: int, width: int, orientation: int, size: tuple[int, int] | None) -> Frame | None:
    """Return the frame of an upright photograph's boxes; None if they belong to a raster of another shape.

    Args:
        orientation: EXIF's of the photograph, 1 to 8.
        size: height and width in the file of the boxes; None if it says nothing.
    """
    if size is None or size == (height, width):
        return Frame(height, width)
    stored = (width, height) if orientation >= 5 else (height, width)
    if size == stored:
        return Frame(height, width, orientation)
    if _same_shape(size, (height, width)):
        return Frame(height, width, 1, height / size[0], width / size[1])
    if orientation >= 5 and _same_shape(size, stored):
        return Frame(height, width, orientation, height / size[1], width / size[0])
    return None


def _same_shape(size: tuple[int, int], other: tuple[int, int]) -> bool:
    """Return whether one size may be the other, scaled and rounded to whole pixels."""
    (h, w), (height, width) = size, other
    return abs(h * width - w * height) <= max(h + w, height + width)
