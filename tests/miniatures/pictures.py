"""Drawn pictures: a shape of its own colour for every object, side by side on a textured background."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from wsss_stages.data.index import stable_hash
from wsss_stages.store.palette import VOC_PALETTE, voc_palette

SIDES = (96, 72)
"""Longer and shorter side of a picture, pixels."""
VOID = 255
BORDER = 2
"""Width of the void border around VOC's objects, pixels; VOC's own is 5."""


@dataclass(frozen=True)
class Picture:
    """A photograph (h, w, 3) uint8, the numbers of its objects (h, w) uint8 from 1, and the class of each object."""

    id: str
    photo: np.ndarray
    objects: np.ndarray
    classes: tuple[int, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Return height and width, pixels."""
        height, width = self.objects.shape
        return height, width

    @property
    def labels(self) -> np.ndarray:
        """Return (h, w) uint8 classes, 0 background."""
        return np.array([0, *self.classes], np.uint8)[self.objects]

    @property
    def borders(self) -> np.ndarray:
        """Return (h, w) bool: the ring around every object, which VOC leaves open."""
        ring = np.zeros(self.size, bool)
        pen = np.ones((2 * BORDER + 1, 2 * BORDER + 1), np.uint8)
        for number in range(1, len(self.classes) + 1):
            mask = (self.objects == number).astype(np.uint8)
            ring |= (cv2.dilate(mask, pen) - cv2.erode(mask, pen)) > 0
        return ring

    def with_void(self, values: np.ndarray) -> np.ndarray:
        """Return values with 255 on the borders, as VOC's PNGs have them."""
        return np.where(self.borders, VOID, values).astype(np.uint8)

    def box(self, number: int) -> tuple[int, int, int, int]:
        """Return the bounds x0, y0, x1, y1 of an object, 0-based, half open."""
        rows, columns = np.nonzero(self.objects == number)
        return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1

    def centre(self, number: int) -> tuple[int, int]:
        """Return x, y of a pixel inside an object."""
        x0, y0, x1, y1 = self.box(number)
        return (x0 + x1) // 2, (y0 + y1) // 2


def picture(image_id: str, classes: Sequence[int]) -> Picture:
    """Return a picture of one object of each class, the same for the same id and classes."""
    rng = np.random.default_rng(stable_hash("miniature", image_id))
    height, width = SIDES if rng.random() < 0.3 else SIDES[::-1]
    texture = cv2.resize(rng.integers(60, 130, (6, 6, 3)).astype(np.uint8), (width, height))
    photo = np.clip(texture + rng.normal(0, 4, texture.shape), 0, 255).astype(np.uint8)
    objects = np.zeros((height, width), np.uint8)
    column = width / len(classes)
    for number, cls in enumerate(classes, 1):
        half_x, half_y = int(column * rng.uniform(0.34, 0.45)), int(height * rng.uniform(0.3, 0.42))
        centre = int(column * (number - 0.5)), int(height * rng.uniform(0.45, 0.55))
        drawn = np.zeros((height, width), np.uint8)
        _shape(drawn, cls, centre, half_x, half_y)
        objects[drawn > 0] = number
        colour = 255 - voc_palette()[cls] // 2
        photo[drawn > 0] = np.clip(colour + rng.normal(0, 6, (int((drawn > 0).sum()), 3)), 0, 255)
    return Picture(image_id, photo, objects, tuple(classes))


def _shape(canvas: np.ndarray, cls: int, centre: tuple[int, int], half_x: int, half_y: int) -> None:
    """Draw an ellipse, a rectangle or a triangle, by the class."""
    x, y = centre
    if cls % 3 == 0:
        cv2.ellipse(canvas, centre, (half_x, half_y), 0, 0, 360, 1, -1)
    elif cls % 3 == 1:
        cv2.rectangle(canvas, (x - half_x, y - half_y), (x + half_x, y + half_y), 1, -1)
    else:
        corners = np.array([(x, y - half_y), (x - half_x, y + half_y), (x + half_x, y + half_y)])
        cv2.fillPoly(canvas, [corners], 1)


def save_photo(path: Path, photo: np.ndarray) -> None:
    """Write a JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(photo).save(path, quality=95)


def save_palette(path: Path, values: np.ndarray) -> None:
    """Write a palette PNG in VOC's colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values)
    image.putpalette(VOC_PALETTE)
    image.save(path)


def save_lines(path: Path, lines: Sequence[str]) -> None:
    """Write a list, a line each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
