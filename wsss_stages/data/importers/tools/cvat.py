"""CVAT for images 1.1: annotations.xml, with boxes, turned boxes, ellipses, polygons, polylines, points, tags and brush masks.

A brush mask's `rle` has runs along the rows of its box (left, top, width, height), beginning with background. Source: CVAT's description
of its XML (docs.cvat.ai, "XML annotation format") and its SDK's `masks.encode_mask`.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from defusedxml import DTDForbidden
from defusedxml.ElementTree import iterparse

from wsss_stages.data.documents import number
from wsss_stages.data.findings import DefectError, Finding
from wsss_stages.data.importers.tools.shapes import Export, Item, Shape, corners, size_of
from wsss_stages.data.importers.tools.source import Source
from wsss_stages.data.notes import Notes, count
from wsss_stages.data.patches import Patch
from wsss_stages.data.polygons import ellipse, turned

TURNED = "turned boxes, taken by their bounds"
OVALS = "ellipses, taken as polygons"
UNREAD = "shapes <{}>, not read: their images have no truth"
NOT_SHAPES = ("attribute",)
SHORT = 20
WHERE = "annotations.xml"


def read(source: Source, findings: list[Finding], notes: Notes) -> Export:
    """Return the images of the XML files of a task or a project, in their order."""
    names = [name for name in source.having(".xml") if is_export(source, name)]
    classes: list[str] = []
    for name in names:
        try:
            classes += [label for label in _labels(source, name) if label not in classes]
        except DefectError as error:
            findings.append(error.in_file(source.path(name)))
            return Export(iter(()))
    if not names:
        findings.append(Finding(source.root, "no XML of CVAT for images 1.1", WHERE, "Export it in this format."))
    return Export(_items(source, names, findings), classes or None)


def is_export(source: Source, name: str) -> bool:
    """Return whether an XML's root is <annotations>; of one that is damaged the first element counts."""
    try:
        return next((element.tag for _, element in _events(source, name, ("start",))), "") == "annotations"
    except DefectError:
        return PurePosixPath(name).name == WHERE


def shapes(image: Element, where: str, notes: dict[str, int]) -> tuple[list[Shape], list[DefectError], int]:
    """Return the shapes of an <image>, the defects of those that are none, and how many are of kinds that are not read."""
    found, defects, unread = [], [], 0
    height, width = (_number(image.attrib, key) for key in ("height", "width"))
    for row, element in enumerate(image, 1):
        if element.tag in NOT_SHAPES:
            continue
        reader = READERS.get(element.tag)
        if reader is None:
            count(notes, UNREAD.format(element.tag[:SHORT]))
            unread += 1
            continue
        try:
            if not element.get("label"):
                raise DefectError("no label", "the name of a class", "Complete it.")
            found += reader(element, (int(height), int(width)), notes)
        except DefectError as error:
            what = f"{where}, shape {row} ({element.tag[:SHORT]}) with {error.found}"
            defects.append(DefectError(what, error.wanted, error.remedy))
    return found, defects, unread


def _items(source: Source, names: list[str], findings: list[Finding]) -> Iterator[Item]:
    for name in names:
        where = source.path(name)
        try:
            for _, element in _events(source, name, ("end",)):
                if element.tag == "track":
                    raise DefectError("tracks of CVAT for video", "CVAT for images 1.1", "Export it in this format.")
                if element.tag == "image":
                    yield from _item(element, where, findings)
                    element.clear()
        except DefectError as error:
            findings.append(error.in_file(where))


def _item(image: Element, where, findings: list[Finding]) -> Iterator[Item]:
    item = Item(image.get("name") or "", where, subset=image.get("subset") or "")
    try:
        sides = [_number(image.attrib, key) for key in ("height", "width")]
        item.size = size_of(*sides)
        item.shapes, defects, item.unread = shapes(image, f"image {item.name}", item.notes)
    except DefectError as error:
        defects = [DefectError(f"image {item.name} with {error.found}", error.wanted, error.remedy)]
    findings += [defect.in_file(where) for defect in defects]
    yield item


def _labels(source: Source, name: str) -> list[str]:
    """Return the names of the labels in the order of <meta>; it stands before the images."""
    for _, element in _events(source, name, ("end",)):
        if element.tag == "meta":
            labels = [label for label in element.iter("label") if label.findtext("parent") is None]
            return list(dict.fromkeys(text.strip() for label in labels if (text := label.findtext("name"))))
        if element.tag == "image":
            break
    return []


def _events(source: Source, name: str, events: tuple[str, ...]) -> Iterator[tuple[str, Element]]:
    """Yield the elements of an XML without DOCTYPE, as they come. Raises DefectError."""
    try:
        with source.open(name) as file:
            yield from iterparse(file, events=events, forbid_dtd=True)
    except DTDForbidden as error:
        raise DefectError(f"a DOCTYPE {error.name!r}", "XML without one", "Export it again.") from error
    except (ParseError, LookupError, UnicodeError) as error:
        raise DefectError(f"no XML ({error})", "XML of CVAT for images 1.1", "Export it again.") from error


def _number(values: Mapping[str, str], key: str, default: str | None = None) -> float:
    try:
        value = number(values.get(key, default))
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise DefectError(f"{key} {values.get(key)!r}", "a finite number", "Draw it again.")
    return value


def _points(element: Element, least: int) -> np.ndarray:
    text = element.get("points") or ""
    try:
        points = np.array([[number(word) for word in pair.split(",")] for pair in text.split(";")], float)
    except ValueError:
        points = np.zeros((0, 2))
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < least or not np.isfinite(points).all():
        raise DefectError(f"points {text[:60]!r}", f"x,y;x,y;... of {least} points or more", "Draw it again.")
    return points


def _box(element: Element, size: tuple[int, int], notes: dict[str, int]) -> list[Shape]:
    x0, y0, x1, y1 = (_number(element.attrib, key) for key in ("xtl", "ytl", "xbr", "ybr"))
    angle = _number(element.attrib, "rotation", "0")
    points = turned(corners(x0, y0, x1, y1), ((x0 + x1) / 2, (y0 + y1) / 2), angle)
    if angle % 360:
        count(notes, TURNED)
    return [Shape(_label(element), "box", points, group=_group(element), turned=bool(angle % 360))]


def _ellipse(element: Element, size: tuple[int, int], notes: dict[str, int]) -> list[Shape]:
    cx, cy, rx, ry = (_number(element.attrib, key) for key in ("cx", "cy", "rx", "ry"))
    count(notes, OVALS)
    points = ellipse(cx, cy, rx, ry, _number(element.attrib, "rotation", "0"))
    return [Shape(_label(element), "polygon", points, group=_group(element), turned=True)]


def _polygon(element: Element, size: tuple[int, int], notes: dict[str, int]) -> list[Shape]:
    return [Shape(_label(element), "polygon", _points(element, 3), group=_group(element))]


def _line(element: Element, size: tuple[int, int], notes: dict[str, int]) -> list[Shape]:
    return [Shape(_label(element), "line", _points(element, 1))]


def _clicks(element: Element, size: tuple[int, int], notes: dict[str, int]) -> list[Shape]:
    return [Shape(_label(element), "point", point[None]) for point in _points(element, 1)]


def _tag(element: Element, size: tuple[int, int], notes: dict[str, int]) -> list[Shape]:
    return [Shape(_label(element), "tag")]


def _mask(element: Element, size: tuple[int, int], notes: dict[str, int]) -> list[Shape]:
    left, top, width, height = (int(_number(element.attrib, key)) for key in ("left", "top", "width", "height"))
    inside = left >= 0 and top >= 0 and width > 0 and height > 0 and left + width <= size[1] and top + height <= size[0]
    if not inside:
        found = f"a mask of {width}x{height} pixels at {left}, {top}"
        raise DefectError(found, f"one inside {size[1]}x{size[0]}", "Export it again.")
    text = element.get("rle") or ""
    try:
        runs = np.array([int(word) for word in text.split(",")])
    except (ValueError, OverflowError):
        runs = np.array([-1])
    if (runs < 0).any() or (runs > height * width).any() or int(runs.sum()) != height * width:
        found = f"run lengths {text[:40]!r} that sum to {int(runs.sum())}"
        raise DefectError(found, f"whole numbers that sum to {height * width}, its pixels", "Export it again.")
    pixels = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(height, width)
    return [Shape(_label(element), "mask", patch=Patch.of(pixels, top, left), raster=size, group=_group(element))]


def _label(element: Element) -> str:
    return element.get("label") or ""


def _group(element: Element) -> str:
    group = element.get("group_id") or ""
    return "" if group == "0" else group


READERS = {
    "box": _box,
    "ellipse": _ellipse,
    "polygon": _polygon,
    "polyline": _line,
    "points": _clicks,
    "tag": _tag,
    "mask": _mask,
}
