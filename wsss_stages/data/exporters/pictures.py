"""Images with their masks and boxes, as they are exported."""

from dataclasses import dataclass, field

import numpy as np

from wsss_stages.data.importers.tools.shapes import Item
from wsss_stages.data.patches import Patch
from wsss_stages.data.polygons import filled


@dataclass
class Thing:
    """An object, or all pixels of a class."""

    cls: int
    """1..N."""
    box: list[int]
    """x0 y0 x1 y1 at the photograph's size, half open."""
    patch: Patch | None = None
    """None of a box without a mask."""
    score: float | None = None
    """Confidence in [0, 1], where there is one."""


@dataclass
class Picture:
    """An image at the photograph's size."""

    id: str
    name: str
    """Name of the photograph, with folders only where several have one name."""
    photo: str
    """Path of the photograph below the dataset's folder."""
    split: str
    height: int
    width: int
    things: list[Thing] = field(default_factory=list)
    labels: np.ndarray | None = None
    """(h, w) uint8 classes, 255 unknown; None where there are boxes only."""


def patches_of(item: Item, picture: Picture) -> list[Patch | None]:
    """Return the masks of an image that was read again; None for a shape without one."""
    height, width = picture.height, picture.width
    masks: list[Patch | None] = []
    for shape in item.shapes:
        if shape.kind == "polygon":
            scale = (width, height) if item.shares else (1, 1)
            masks.append(filled([shape.points * scale], height, width)[0])
        else:
            masks.append(shape.patch)
    return masks
