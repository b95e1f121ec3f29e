"""LabelMe's JSON: a file per photograph with rectangles, circles, polygons, points, lines and masks.

A mask is a PNG of the pixels of its rectangle, both ends inside. Shapes of one label and one group_id are one object. Classes stand in
labels.txt or classes.txt, if there is one (LabelMe's __ignore__ and _background_ are none), else they are the labels in use.
Source: labelme/utils/shape.py and labelme/label_file.py.
"""

import base64
import binascii
import hashlib
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from wsss_stages.data import json_stream
from wsss_stages.data.findings import DefectError, Finding, shown
from wsss_stages.data.images import MAX_PIXELS
from wsss_stages.data.importers.tools.shapes import Export, Item, Shape, corners, points_of, size_of, text_of
from wsss_stages.data.importers.tools.source import Source
from wsss_stages.data.notes import Notes, count
from wsss_stages.data.patches import Patch
from wsss_stages.data.polygons import ellipse

CIRCLES = "circles, taken as polygons"
TURNED = "turned boxes, taken by their bounds"
UNREAD = "shapes of the type {}, not read: their images have no truth"
OTHERS = "JSON files that are not of a photograph, not read"
NO_CLASSES = ("__ignore__", "_background_")
REMEDY = "Save it again with LabelMe."


def read(source: Source, findings: list[Finding], notes: Notes) -> Export:
    """Return the images that have a JSON, in the order of its name."""
    return Export(_items(source, findings, notes), _classes(source, findings))


def is_export(source: Source, name: str) -> bool:
    """Return whether a JSON has LabelMe's members."""
    try:
        with source.open(name) as file:
            keys = {key for key, _ in json_stream.entries(file, ("shapes",))}
            return "imagePath" in keys
    except DefectError:
        return False


def shapes(entries: object, size: tuple[int, int] | None, notes: dict) -> tuple[list[Shape], list[DefectError], int]:
    """Return the shapes of a file, the defects of those that are none, and how many are of kinds that are not read."""
    found, defects, unread = [], [], 0
    for number, entry in enumerate(entries if isinstance(entries, list) else [], 1):
        try:
            if not isinstance(entry, dict):
                raise DefectError(f"{str(entry)[:40]!r} for a shape", "an object", REMEDY)
            kind = entry.get("shape_type") or "polygon"
            reader = READERS.get(kind) if isinstance(kind, str) else None
            if reader is None:
                count(notes, UNREAD.format(shown(str(kind)[:20])))
                unread += 1
                continue
            name, group = text_of(entry, "label"), entry.get("group_id")
            found.append(Shape(name, *reader(entry, size, notes), group="" if group is None else str(group)[:80]))
        except DefectError as error:
            defects.append(DefectError(f"shape {number} with {error.found}", error.wanted, error.remedy))
    return found, defects, unread


def _items(source: Source, findings: list[Finding], notes: Notes) -> Iterator[Item]:
    for name in source.having(".json"):
        where = source.path(name)
        try:
            with source.open(name) as file:
                content = dict(json_stream.entries(file))
        except DefectError as error:
            findings.append(error.in_file(where))
            continue
        if "imagePath" not in content:
            notes.add(OTHERS, 1, shown(name))
            continue
        item, defects = Item("", where), []
        try:
            folder, path = name.rpartition("/")[0], text_of(content, "imagePath")
            item.name = f"{folder}/{path}" if folder and not path.startswith(("/", ".")) else path
            item.size = size_of(content.get("imageHeight"), content.get("imageWidth"))
            item.shapes, defects, item.unread = shapes(content.get("shapes"), item.size, item.notes)
            item.sha256 = _sha256(content.get("imageData"))
        except DefectError as error:
            defects.append(error)
        findings += [defect.in_file(where) for defect in defects]
        yield item


def _sha256(data: object) -> str:
    """Return the sha256 of an embedded photograph; empty without."""
    content = _bytes(data) if isinstance(data, str) and data else b""
    return hashlib.sha256(content).hexdigest() if content else ""


def _bytes(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DefectError(f"base64 that is none ({error})", "an image in base64", REMEDY) from error


def _box(entry: dict[str, Any], size: tuple[int, int] | None, notes: dict[str, int]) -> tuple:
    points = points_of(entry.get("points"), 2)
    return "box", corners(*points.min(axis=0), *points.max(axis=0))


def _turned(entry: dict[str, Any], size: tuple[int, int] | None, notes: dict[str, int]) -> tuple:
    count(notes, TURNED)
    return "box", points_of(entry.get("points"), 4), None, (0, 0), True


def _circle(entry: dict[str, Any], size: tuple[int, int] | None, notes: dict[str, int]) -> tuple:
    centre, edge = points_of(entry.get("points"), 2)[:2]
    radius = float(np.hypot(*(edge - centre)))
    count(notes, CIRCLES)
    return "polygon", ellipse(float(centre[0]), float(centre[1]), radius, radius), None, (0, 0), True


def _polygon(entry: dict[str, Any], size: tuple[int, int] | None, notes: dict[str, int]) -> tuple:
    return "polygon", points_of(entry.get("points"), 3)


def _line(entry: dict[str, Any], size: tuple[int, int] | None, notes: dict[str, int]) -> tuple:
    return "line", points_of(entry.get("points"), 1)


def _click(entry: dict[str, Any], size: tuple[int, int] | None, notes: dict[str, int]) -> tuple:
    return "point", points_of(entry.get("points"), 1)[:1]


def _mask(entry: dict[str, Any], size: tuple[int, int] | None, notes: dict[str, int]) -> tuple:
    (x0, y0), (x1, y1) = points_of(entry.get("points"), 2)[:2].astype(int).tolist()
    if size is None:
        raise DefectError("a mask, but no imageHeight and imageWidth", "the size of the photograph", REMEDY)
    pixels = _png(entry.get("mask"))
    inside = 0 <= x0 <= x1 < size[1] and 0 <= y0 <= y1 < size[0]
    if not inside or pixels.shape != (y1 - y0 + 1, x1 - x0 + 1):
        found = f"a mask of {pixels.shape[1]}x{pixels.shape[0]} pixels for {x0}..{x1}, {y0}..{y1}"
        raise DefectError(found, f"as many as its rectangle, inside {size[1]}x{size[0]}", REMEDY)
    return "mask", np.zeros((0, 2)), Patch.of(pixels, y0, x0), size


def _png(data: object) -> np.ndarray:
    """Return (h, w) bool of a PNG in base64."""
    content = _bytes(data) if isinstance(data, str) else b""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f"{image.width}x{image.height} pixels")
            pixels = np.array(image.convert("L") if image.mode not in ("L", "P") else image)
    except Exception as error:  # Pillow's readers raise nearly anything on bytes made for it
        raise DefectError(f"a mask that is no PNG ({error})", "a PNG in base64", REMEDY) from error
    return pixels > 0


READERS = {
    "rectangle": _box,
    "oriented_rectangle": _turned,
    "circle": _circle,
    "polygon": _polygon,
    "point": _click,
    "line": _line,
    "linestrip": _line,
    "mask": _mask,
}


def _classes(source: Source, findings: list[Finding]) -> list[str] | None:
    name = next((name for name in ("classes.txt", "labels.txt") if name in source.names), None)
    try:
        lines = source.text(name).splitlines() if name else []
    except DefectError as error:
        findings.append(error.in_file(source.path(name or "")))
        lines = []
    names = [line.strip() for line in lines if line.strip()]
    return [name for name in names if name not in NO_CLASSES] or None
