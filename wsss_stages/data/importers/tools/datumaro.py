"""Datumaro's JSON, one of CVAT's exports: annotations/SUBSET.json, photographs in images/SUBSET.

Boxes, polygons, masks (COCO's run-length codes), points, polylines and labels of images. Masks and polygons of one label and one group
are one object. Source: datumaro, plugins/data_formats/datumaro/base.py.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from wsss_stages.data import json_stream, rle
from wsss_stages.data.documents import is_number
from wsss_stages.data.findings import DefectError, Finding, shown
from wsss_stages.data.importers.tools.shapes import Export, Item, Shape, corners, size_of
from wsss_stages.data.importers.tools.source import Source
from wsss_stages.data.notes import Notes, count
from wsss_stages.data.patches import Patch

UNREAD = "annotations of the type {}, not read: their images have no truth"
OTHERS = "JSON files that are no export, not read"
REMEDY = "Export it again."


def read(source: Source, findings: list[Finding], notes: Notes) -> Export:
    """Return the items of all subsets. Subsets with other categories than the first are findings."""
    names = [name for name in source.having(".json") if is_export(source, name)]
    notes.add_each(OTHERS, (shown(name) for name in source.having(".json") if name not in names))
    classes: list[str] | None = None
    for name in names:
        try:
            own = _classes(source, name)
            if classes not in (None, own):
                raise DefectError("other categories than in the first file", "the same", "Export one project.")
            classes = own
        except DefectError as error:
            findings.append(error.in_file(source.path(name)))
    if not names:
        wanted = "annotations/SUBSET.json with categories and items"
        findings.append(Finding(source.root, "no JSON of Datumaro", wanted, REMEDY))
    return Export(_items(source, names, classes or [], findings), classes)


def is_export(source: Source, name: str) -> bool:
    """Return whether a JSON has Datumaro's categories and a list of items."""
    try:
        with source.open(name) as file:
            seen = False
            for key, value in json_stream.entries(file, ("items",)):
                seen = seen or (key == "categories" and isinstance(value, dict))
                if key == "items" and seen:
                    return True
            return seen
    except DefectError:
        return False


def _classes(source: Source, name: str) -> list[str]:
    with source.open(name) as file:
        for key, value in json_stream.entries(file, ("items",)):
            if key == "categories":
                labels = value.get("label", {}) if isinstance(value, dict) else {}
                labels = labels.get("labels") if isinstance(labels, dict) else None
                if isinstance(labels, list) and all(
                    isinstance(e, dict) and isinstance(e.get("name"), str) for e in labels
                ):
                    return [entry["name"] for entry in labels]
                break
    raise DefectError("no categories", "categories/label/labels with names", REMEDY)


def _items(source: Source, names: list[str], classes: list[str], findings: list[Finding]) -> Iterator[Item]:
    for name in names:
        where, subset = source.path(name), PurePosixPath(name).stem
        try:
            with source.open(name) as file:
                for key, entry in json_stream.entries(file, ("items",)):
                    if key == "items":
                        yield _item(entry, Item("", where, subset=subset), classes, findings)
        except DefectError as error:
            findings.append(error.in_file(where))


def _item(entry: object, item: Item, classes: list[str], findings: list[Finding]) -> Item:
    defects: list[DefectError] = []
    try:
        if not isinstance(entry, dict):
            raise DefectError(f"{str(entry)[:40]!r} for an item", "an object", REMEDY)
        image = entry.get("image", entry.get("media"))
        image = image if isinstance(image, dict) else {}
        path, size = image.get("path") or entry.get("id"), image.get("size")
        if not isinstance(path, str):
            raise DefectError("an item without a path", "image/path", REMEDY)
        item.name = path
        item.size = size_of(*size) if isinstance(size, list) and len(size) == 2 else None
        for number, annotation in enumerate(entry.get("annotations") or [], 1):
            try:
                item.shapes += _shapes(annotation, item, classes)
            except DefectError as error:
                what = f"item {item.name}, annotation {number} with {error.found}"
                defects.append(DefectError(what, error.wanted, error.remedy))
    except (DefectError, TypeError) as error:
        defects.append(error if isinstance(error, DefectError) else DefectError(str(error), "an item", REMEDY))
    findings += [defect.in_file(item.where) for defect in defects]
    return item


def _shapes(annotation: Any, item: Item, classes: list[str]) -> list[Shape]:
    if not isinstance(annotation, dict):
        raise DefectError(f"{str(annotation)[:40]!r}", "an object", REMEDY)
    kind, label, group = annotation.get("type"), annotation.get("label_id"), annotation.get("group")
    reader = READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        count(item.notes, UNREAD.format(shown(str(kind)[:20])))
        item.unread += 1
        return []
    if type(label) is not int or not 0 <= label < len(classes):
        raise DefectError(f"label_id {label}", f"0..{len(classes) - 1}", "Correct it or add the category.")
    return [Shape(classes[label], *shape, group=str(group) if group else "") for shape in reader(annotation, item)]


def _flat(annotation: dict[str, Any], key: str, least: int) -> np.ndarray:
    values = annotation.get(key)
    if not isinstance(values, list) or len(values) < least or len(values) % 2 or not all(map(is_number, values)):
        raise DefectError(f"{key} {str(values)[:60]}", f"{least} or more finite numbers x, y, ...", REMEDY)
    return np.array(values, float).reshape(-1, 2)


def _box(annotation: dict[str, Any], item: Item) -> list[tuple]:
    (x, y), (w, h) = _flat(annotation, "bbox", 4)[:2]
    return [("box", corners(x, y, x + w, y + h))]


def _mask(annotation: dict[str, Any], item: Item) -> list[tuple]:
    code = annotation.get("rle")
    size = code.get("size") if isinstance(code, dict) else None
    try:
        if not isinstance(code, dict) or not isinstance(size, list) or len(size) != 2:
            raise DefectError("a mask without a run-length code", "rle with counts and size", REMEDY)
        raster = size_of(*size)
        if raster is None:
            raise DefectError("a run-length code without size", "height and width", REMEDY)
        return [("mask", np.zeros((0, 2)), Patch.of(rle.decode(code, *raster)), raster)]
    except rle.RleError as error:
        raise DefectError(str(error), "a run-length code of COCO", REMEDY) from error


READERS = {
    "bbox": _box,
    "mask": _mask,
    "polygon": lambda annotation, item: [("polygon", _flat(annotation, "points", 6))],
    "polyline": lambda annotation, item: [("line", _flat(annotation, "points", 2))],
    "points": lambda annotation, item: [("point", point[None]) for point in _flat(annotation, "points", 2)],
    "label": lambda annotation, item: [("tag",)],
}
