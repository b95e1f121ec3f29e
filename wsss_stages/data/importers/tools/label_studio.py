"""Label Studio's JSON: tasks with annotations of rectangles, ellipses, polygons, brush masks, keypoints, vectors and choices.

Of several annotations of a task the newest that was not cancelled counts. A task without one is left out, but where no task of the file
has one, their predictions are taken. The photograph is the value of the task's data that names one.
"""

import re
import urllib.parse
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from wsss_stages.data import brush_rle, json_stream
from wsss_stages.data.documents import is_number
from wsss_stages.data.findings import DefectError, Finding, shown
from wsss_stages.data.images import SUFFIXES
from wsss_stages.data.importers.tools.shapes import Export, Item, Shape, corners, numbers_of, points_of, size_of
from wsss_stages.data.importers.tools.source import Source
from wsss_stages.data.notes import Notes, count
from wsss_stages.data.patches import Patch
from wsss_stages.data.polygons import ellipse, turned
from wsss_stages.data.rle import RleError

SEVERAL = "tasks with several annotations, the newest that was not cancelled taken"
UNDONE = "tasks without an annotation, left out"
PREDICTED = "tasks of a file without annotations, their predictions taken"
TURNED = "turned boxes, taken by their bounds"
OVALS = "ellipses, taken as polygons"
UNLABELLED = "regions without a label, left out"
UNREAD = "results of the type {}, not read"
ROTATED = "an image that was turned in the editor"
OTHERS = "JSON files that are no export, not read"
REMEDY = "Export it again as JSON."


def read(source: Source, findings: list[Finding], notes: Notes) -> Export:
    """Return the tasks of all JSON files of the export."""
    names = [name for name in source.having(".json") if is_export(source, name)]
    notes.add_each(OTHERS, (shown(name) for name in source.having(".json") if name not in names))
    if not names:
        findings.append(Finding(source.root, "no JSON of tasks", "Label Studio's export as JSON", REMEDY))
    return Export(_items(source, names, findings, notes), _classes(source, findings))


def is_export(source: Source, name: str) -> bool:
    """Return whether a JSON is a list of tasks, by its first."""
    try:
        with source.open(name) as file:
            key, task = next(json_stream.entries(file), ("?", None))
    except DefectError:
        return False
    return key == "" and isinstance(task, dict) and isinstance(task.get("data"), dict)


def shapes(
    results: object, notes: dict[str, int]
) -> tuple[list[Shape], tuple[int, int] | None, list[DefectError], int]:
    """Return the shapes of an annotation, the size of the image, the defects, and how many objects are of kinds that are not read."""
    found, defects, unread, size = [], [], 0, None
    for number, result in enumerate(results if isinstance(results, list) else [], 1):
        try:
            if not isinstance(result, dict) or not isinstance(result.get("value"), dict):
                if isinstance(result, dict) and "value" not in result:  # a relation between regions
                    count(notes, UNREAD.format(str(result.get("type"))[:20]))
                    continue
                raise DefectError(f"result {str(result)[:40]}", "an object with a value", REMEDY)
            made, own, lost = _result(result, notes)
            size = own or size
            found += made
            unread += lost
        except DefectError as error:
            defects.append(DefectError(f"region {number} with {error.found}", error.wanted, error.remedy))
    return found, size, defects, unread


def _items(source: Source, names: list[str], findings: list[Finding], notes: Notes) -> Iterator[Item]:
    for name in names:
        where = source.path(name)
        try:
            predicted = not any(_annotations(task) for task in _tasks(source, name))
            for number, task in enumerate(_tasks(source, name), 1):
                chosen = _chosen(task, predicted, notes)
                if chosen is not None:
                    yield _item(task, f"task {task.get('id', number)}", chosen, where, findings)
        except DefectError as error:
            findings.append(error.in_file(where))


def _tasks(source: Source, name: str) -> Iterator[dict[str, Any]]:
    with source.open(name) as file:
        for key, task in json_stream.entries(file):
            if key or not isinstance(task, dict):
                raise DefectError(f"{str(task)[:40]!r} for a task", "a list of tasks {...}", REMEDY)
            yield task


def _annotations(task: dict[str, Any]) -> list[dict[str, Any]]:
    values = task.get("annotations") or task.get("completions") or []
    done = [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []
    return [value for value in done if not value.get("was_cancelled")]


def _chosen(task: dict[str, Any], predicted: bool, notes: Notes) -> dict[str, Any] | None:
    """Return the annotation of a task that counts; None for a task that is left out."""
    name = f"task {task.get('id')}"
    annotations = _annotations(task)
    if not annotations and predicted:
        values = task.get("predictions")
        annotations = [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []
        notes.add(PREDICTED, len(annotations[:1]), name)
    if not annotations:
        notes.add(UNDONE, 1, name)
        return None
    notes.add(SEVERAL, int(len(annotations) > 1), name)
    return max(
        annotations, key=lambda one: (str(one.get("updated_at") or one.get("created_at") or ""), str(one.get("id")))
    )


def _item(task: dict[str, Any], name: str, annotation: dict[str, Any], where: Path, findings: list[Finding]) -> Item:
    item = Item("", where)
    defects: list[DefectError] = []
    try:
        item.name = _photograph(task["data"] if isinstance(task.get("data"), dict) else {})
        item.shapes, item.size, defects, item.unread = shapes(annotation.get("result"), item.notes)
    except DefectError as error:
        defects.append(error)
    findings += [Finding(where, f"{name}, {error.found}", error.wanted, error.remedy) for error in defects]
    return item


def _photograph(data: dict[str, Any]) -> str:
    """Return the path that a task's data gives for its photograph."""
    paths = {key: path_of(value) for key, value in data.items() if isinstance(value, str)}
    fits = {path for path in paths.values() if PurePosixPath(path).suffix.lower() in SUFFIXES}
    if len(fits) > 1 and (own := paths.get("image")) in fits:
        return own
    if len(fits) != 1:
        raise DefectError(f"data {str(data)[:80]}", "the path of one photograph in it", REMEDY)
    return fits.pop()


def path_of(address: str) -> str:
    """Return the path in an address of a file: of an upload, of a local file (?d=), of a bucket."""
    parsed = urllib.parse.urlsplit(address) if "://" in address or "?" in address or "%" in address else None
    if parsed is None:
        return address
    local = urllib.parse.parse_qs(parsed.query).get("d")
    return local[0] if local else urllib.parse.unquote(parsed.path)


def _result(result: dict[str, Any], notes: dict[str, int]) -> tuple[list[Shape], tuple[int, int] | None, int]:
    kind, value = str(result.get("type")).lower(), result["value"]
    names = value.get(kind, value.get("labels"))
    if kind == "choices":
        if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
            raise DefectError(f"choices {str(names)[:40]}", "a list of names", REMEDY)
        return [Shape(name, "tag") for name in names], None, 0
    place = next((reader for keys, reader in READERS if keys <= value.keys()), None)
    if place is None:
        count(notes, UNREAD.format(shown(kind[:20])))
        return [], None, int("labels" in kind)
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        count(notes, UNLABELLED)
        return [], None, 0
    size = size_of(result.get("original_height"), result.get("original_width"))
    if size is None:
        raise DefectError("no original_width and original_height", "the size of the photograph", REMEDY)
    if result.get("image_rotation") not in (None, 0):
        raise DefectError(ROTATED, "image_rotation 0", "Turn the photograph itself, and draw the regions again.")
    shape = place(value, size, notes)
    return [Shape(name, *shape) for name in names], size, 0


def _box(value: dict[str, Any], size: tuple[int, int], notes: dict[str, int]) -> tuple:
    height, width = size[0] / 100, size[1] / 100
    x, y, w, h = np.array(numbers_of(value, "x", "y", "width", "height")) * (width, height, width, height)
    angle = _angle(value)
    if angle % 360:
        count(notes, TURNED)
    return "box", turned(corners(x, y, x + w, y + h), (x, y), angle), None, (0, 0), bool(angle % 360)


def _angle(value: dict[str, Any]) -> float:
    angle = value.get("rotation") or 0
    if not is_number(angle):
        raise DefectError(f"rotation {angle!r}", "degrees", "Draw it again.")
    return float(angle)


def _ellipse(value: dict[str, Any], size: tuple[int, int], notes: dict[str, int]) -> tuple:
    x, y, rx, ry = numbers_of(value, "x", "y", "radiusX", "radiusY")
    count(notes, OVALS)
    height, width = size[0] / 100, size[1] / 100
    points = ellipse(x * width, y * height, rx * width, ry * height, _angle(value))
    return "polygon", points, None, (0, 0), True


def _polygon(value: dict[str, Any], size: tuple[int, int], notes: dict[str, int]) -> tuple:
    return "polygon", points_of(value["points"], 3) * (size[1] / 100, size[0] / 100)


def _vector(value: dict[str, Any], size: tuple[int, int], notes: dict[str, int]) -> tuple:
    vertices = value["vertices"] if isinstance(value["vertices"], list) else []
    pairs = [[vertex.get("x"), vertex.get("y")] for vertex in vertices if isinstance(vertex, dict)]
    closed = value.get("closed") is True
    points = points_of(pairs, 3 if closed else 1) * (size[1] / 100, size[0] / 100)
    return "polygon" if closed else "line", points


def _click(value: dict[str, Any], size: tuple[int, int], notes: dict[str, int]) -> tuple:
    x, y = numbers_of(value, "x", "y")
    return "point", np.array([[x * size[1] / 100, y * size[0] / 100]])


def _brush(value: dict[str, Any], size: tuple[int, int], notes: dict[str, int]) -> tuple:
    code = value["rle"]
    try:
        mask = brush_rle.decode(code if isinstance(code, list) else [], *size)
    except RleError as error:
        raise DefectError(str(error), f"a mask of {size[1]}x{size[0]} pixels", "Export it again.") from error
    return "mask", np.zeros((0, 2)), Patch.of(mask), size


READERS = (
    ({"rle"}, _brush),
    ({"points"}, _polygon),
    ({"vertices"}, _vector),
    ({"radiusX", "radiusY"}, _ellipse),
    ({"x", "y", "width", "height"}, _box),
    ({"x", "y"}, _click),
)
"""Keys of a region's value and what they are."""
PREFIX = re.compile(r"[0-9a-f]{8}-")
"""Label Studio writes it before the name of an uploaded file."""


def _classes(source: Source, findings: list[Finding]) -> list[str] | None:
    """Return the names of classes.txt, which Label Studio's exports do not have."""
    if "classes.txt" not in source.names:
        return None
    try:
        return [line.strip() for line in source.text("classes.txt").splitlines() if line.strip()]
    except DefectError as error:
        findings.append(error.in_file(source.path("classes.txt")))
        return None
