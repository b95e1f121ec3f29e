"""Images and shapes as readers of annotation tools' exports give them: under the names that they have there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from wsss_stages.data.documents import is_number
from wsss_stages.data.findings import DefectError
from wsss_stages.data.patches import Patch

Kind = Literal["box", "polygon", "mask", "point", "line", "tag"]


@dataclass(frozen=True)
class Shape:
    """A shape of one class. Pixel (x, y) covers x..x+1 and y..y+1."""

    name: str
    """Name of the class, as written."""
    kind: Kind
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    """(n, 2) x, y: corners, the outline, the line or the click."""
    patch: Patch | None = None
    """Pixels of a mask."""
    raster: tuple[int, int] = (0, 0)
    """Height and width of the image that a mask was drawn on."""
    turned: bool = False
    """A box that was not parallel to the image's sides, so that its corners may lie outside the image."""
    group: str = ""
    """Shapes of one class and one group are parts of one object; empty: an object of its own."""


@dataclass
class Item:
    """An image of an export."""

    name: str
    """Path or address of the photograph as the export has it."""
    where: Path
    """File that it stands in, for findings."""
    size: tuple[int, int] | None = None
    """Height and width that its shapes belong to; None: the photograph's."""
    shapes: list[Shape] = field(default_factory=list)
    shares: bool = False
    """Points are shares of the photograph's width and height, from 0 to 1, instead of pixels."""
    subset: str = ""
    sha256: str = ""
    """Digest of the photograph, where the export embeds it."""
    notes: dict[str, int] = field(default_factory=dict)
    unread: int = 0
    """Objects of kinds that are not read, so that masks do not show all of the image."""


@dataclass
class Export:
    """An export on the way through the importer."""

    items: Iterator[Item]
    classes: list[str] | None = None
    """Names in their order where the export lists them; None: those of the shapes."""


def corners(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """Return the (4, 2) corners of a box."""
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], float)


def text_of(entry: Mapping[str, Any], key: str) -> str:
    """Return a text of a JSON's object. Raises DefectError."""
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise DefectError(f"{key} {value!r}", "a text", "Complete it, or export it again.")
    return value


def numbers_of(entry: Mapping[str, Any], *keys: str) -> list[float]:
    """Return finite numbers of a JSON's object. Raises DefectError."""
    values: list[Any] = [entry.get(key) for key in keys]
    if not all(map(is_number, values)):
        raise DefectError(f"{', '.join(keys)} {values}", "finite numbers", "Draw it again.")
    return [float(value) for value in values]


def points_of(values: object, least: int) -> np.ndarray:
    """Return (n, 2) x, y of a list of pairs, at least so many. Raises DefectError."""
    pairs = values if isinstance(values, list) else []
    good = all(isinstance(pair, list) and len(pair) == 2 and all(map(is_number, pair)) for pair in pairs)
    if not good or len(pairs) < least:
        raise DefectError(f"points {str(values)[:80]}", f"{least} or more pairs of finite numbers", "Draw it again.")
    return np.array(pairs, float).reshape(-1, 2)


def size_of(height: object, width: object) -> tuple[int, int] | None:
    """Return an image's size as an export has it; None where it has none. Raises DefectError for one that is none."""
    if height is None and width is None:
        return None
    sides = [int(side) if isinstance(side, float) and side.is_integer() else side for side in (height, width)]
    if not all(type(side) is int and 0 < side < 1 << 20 for side in sides):
        raise DefectError(f"a size of {width!r}x{height!r}", "whole numbers of pixels", "Export it again.")
    return int(height), int(width)  # type: ignore[call-overload]
