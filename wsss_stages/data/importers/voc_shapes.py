"""Boxes from the shapes that annotation tools write into an object of a VOC annotation."""

import math
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np

from wsss_stages.data.documents import number as read_number
from wsss_stages.data.findings import DefectError
from wsss_stages.data.notes import count

SHAPES = ("bndbox", "polygon", "robndbox", "part")
"""Elements of an object's box; the first that is present counts."""
CORNERS = ("xmin", "ymin", "xmax", "ymax")
SEVERAL = "further boxes of one object, each taken as a box of its class"
BOUNDS = {
    "polygon": "polygons, taken by their bounds",
    "robndbox": "turned boxes, taken by their bounds",
    "part": "objects of parts only, taken by the bounds of their parts",
}


class Shape(NamedTuple):
    """A box and the element that it stands in."""

    element: str
    corners: np.ndarray
    """xmin ymin xmax ymax, float pixels counted from 1, both ends inside."""


def shapes_of(element: Element, notes: dict[str, int]) -> Iterator[Shape]:
    """Yield the boxes of an object. Raises DefectError."""
    shape = next((shape for shape in SHAPES if element.find(shape) is not None), None)
    if shape is None:
        children = ", ".join(f"<{child.tag}>" for child in element if child.tag != "name") or "nothing"
        raise DefectError(f"no box but {children[:200]}", "a bndbox, polygon or robndbox", "Draw its box.")
    shapes = element.findall(shape)
    if shape == "bndbox":
        for number, box in enumerate(shapes):
            if number:
                count(notes, SEVERAL)
            yield Shape(shape, _bndbox(box))
        return
    if shape == "part":
        boxes = [_bndbox(box) for part in shapes for box in part.findall("bndbox")]
        if not boxes:
            raise DefectError("<part> without a bndbox", "a bndbox, polygon or robndbox", "Draw its box.")
        bounds = np.stack(boxes)
        count(notes, BOUNDS[shape])
        yield Shape(shape, np.concatenate([bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)]))
        return
    for number, outline in enumerate(shapes):
        points = _polygon(outline) if shape == "polygon" else _turned(outline)
        count(notes, BOUNDS[shape])
        if number:
            count(notes, SEVERAL)
        yield Shape(shape, np.concatenate([points.min(axis=0), points.max(axis=0)]))


def _bndbox(box: Element) -> np.ndarray:
    texts = [box.findtext(key) for key in CORNERS]
    values = _numbers(texts, "box", "four numbers xmin ymin xmax ymax", "Complete the bndbox.")
    x0, y0, x1, y1 = values
    shown = values.tolist()
    if round(x1) < round(x0) or round(y1) < round(y0):
        raise DefectError(f"inverted box {shown}", "xmin <= xmax and ymin <= ymax", "Swap the corners.")
    if x0 == x1 or y0 == y1:
        remedy = "Draw the box again or remove the object."
        raise DefectError(f"box {shown} without area", "a box of at least two pixels a side", remedy)
    return values


def _polygon(outline: Element) -> np.ndarray:
    """Return (n, 2) points of <pt> or <point> elements, or of x1 y1 x2 y2 ... as Labelbox writes them."""
    pairs = [(p.findtext("x") or p.findtext("X"), p.findtext("y") or p.findtext("Y")) for p in outline if len(p) >= 2]
    if not pairs:
        texts = {child.tag.lower(): child.text for child in outline}
        pairs = [(texts[f"x{k}"], texts.get(f"y{k}")) for k in range(len(texts) + 1) if f"x{k}" in texts]
    if len(pairs) < 3:
        raise DefectError(f"a polygon of {len(pairs)} points", "three points x, y or more", "Draw it again.")
    flat = [text for pair in pairs for text in pair]
    return _numbers(flat, "polygon", "two numbers x, y of every point", "Draw it again.").reshape(-1, 2)


def _turned(box: Element) -> np.ndarray:
    """Return (4, 2) corners of roLabelImg's cx cy w h and angle in radians, clockwise."""
    texts = [box.findtext(key) for key in ("cx", "cy", "w", "h", "angle")]
    cx, cy, w, h, angle = _numbers(texts, "turned box", "five numbers cx cy w h angle", "Complete the robndbox.")
    if w <= 0 or h <= 0:
        raise DefectError(f"turned box {w}x{h} without area", "w and h above 0", "Draw it again.")
    along, across = (
        np.array([math.cos(angle), math.sin(angle)]) * w / 2,
        np.array([-math.sin(angle), math.cos(angle)]) * h / 2,
    )
    return np.array([cx, cy]) + np.stack([along + across, along - across, across - along, -along - across])


def _numbers(texts: list[str | None], what: str, wanted: str, remedy: str) -> np.ndarray:
    try:
        values = np.array([read_number(text) for text in texts])
    except ValueError:
        raise DefectError(f"{what} {texts[:8]}", wanted, remedy) from None
    if not np.isfinite(values).all():
        raise DefectError(f"{what} {values[:8].tolist()}", "finite numbers", "Draw it again.")
    return values
