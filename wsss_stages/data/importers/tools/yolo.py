"""YOLO's labels: a .txt per photograph, a line per object: class number, then centre and size of a box, or the points of its outline,
all as shares of the photograph's width and height.

images/train/a.jpg   labels/train/a.txt   or a.txt beside a.jpg; an empty .txt: a photograph without objects
data.yaml            names (a list, or a mapping from number to name), train, val: folders or lists. Without it the names stand in
                     classes.txt, obj.names (Darknet, CVAT) or labels.txt, one a line
A photograph without a .txt is left out. Holes and parts of an outline are those that its line goes to and back on one way.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import yaml

from wsss_stages.data.documents import number
from wsss_stages.data.findings import DefectError, Finding, shown
from wsss_stages.data.importers.tools.shapes import Export, Item, Shape, corners
from wsss_stages.data.importers.tools.source import Source
from wsss_stages.data.notes import Notes, count

CONFIDENT = "boxes with a confidence, which is not used"
POSES = "keypoints of poses, not used: the box is"
UNLABELLED = "photographs without a .txt of labels, left out"
LOST_LIST = "lists of data.yaml that are not in the export; their photographs count by their folders"
OTHERS = "text files that are no labels, not read"
UNUSED = "label files of no photograph, left out"
NAMES = ("classes.txt", "obj.names", "labels.txt", "predefined_classes.txt")
SPLITS = ("train", "val", "test")
FOLDERS = {"valid": "val", "validation": "val"} | {split: split for split in SPLITS}
ROW = re.compile(r"\d+( +[-+.\deE]+){4,}")


def read(source: Source, findings: list[Finding], notes: Notes) -> Export:
    """Return the photographs with labels, in the order of their names."""
    settings = _settings(source, findings)
    classes = _classes(source, settings, findings)
    return Export(_items(source, settings, classes or [], findings, notes), classes)


def is_row(line: str) -> bool:
    """Return whether a line may be an object."""
    return bool(ROW.fullmatch(" ".join(line.split())))


def shapes(text: str, classes: list[str], poses: bool, where: Any, findings: list[Finding], notes: dict) -> list[Shape]:
    """Return the objects of a label file, in shares of the photograph; lines that are none become findings of the file `where`."""
    found = []
    for row, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append(_shape(line.split(), classes, poses, notes))
        except DefectError as error:
            findings.append(Finding(where, f"line {row} with {error.found}", error.wanted, error.remedy))
    return found


def _shape(words: list[str], classes: list[str], poses: bool, notes: dict[str, int]) -> Shape:
    try:
        cls, values = int(words[0]), np.array([number(word) for word in words[1:]])
    except ValueError:
        wanted = "a class number and the shares of a box or an outline"
        raise DefectError(f"the text {' '.join(words)[:60]!r}", wanted, "Export it again.") from None
    if not 0 <= cls < len(classes):
        remedy = "Correct the number, or name the class in data.yaml."
        raise DefectError(f"class {cls}", f"0..{len(classes) - 1}, the classes that have names", remedy)
    if not np.isfinite(values).all():
        raise DefectError(f"values {words[1:9]}", "finite numbers", "Export it again.")
    if poses and len(values) > 5:
        count(notes, POSES)
        values = values[:4]
    if len(values) in (4, 5):
        if len(values) == 5:
            count(notes, CONFIDENT)
        x, y, w, h = values[:4]
        return Shape(classes[cls], "box", corners(x - w / 2, y - h / 2, x + w / 2, y + h / 2))
    if len(values) < 6 or len(values) % 2:
        raise DefectError(f"{len(values)} values", "4 of a box, or pairs of 3 points or more", "Export it again.")
    return Shape(classes[cls], "polygon", values.reshape(-1, 2))


def _items(
    source: Source, settings: dict[str, Any], classes: list[str], findings: list[Finding], notes: Notes
) -> Iterator[Item]:
    labels = {name for name in source.having(".txt") if PurePosixPath(name).name not in NAMES}
    listed, lists = _listed(source, settings, findings, notes)
    labels -= lists
    for photo in source.photographs:
        label = next((name for name in _label_names(photo) if name in labels), None)
        if label is None:
            notes.add(UNLABELLED, 1, shown(photo))
            continue
        labels.remove(label)
        subset = _subset(photo, settings, listed)
        yield _item(photo, subset, label, source, settings, classes, findings)
    rows = {name: _is_label(source, name) for name in sorted(labels)}
    notes.add_each(OTHERS, (shown(name) for name, is_label in rows.items() if not is_label))
    for name in (name for name, is_label in rows.items() if is_label):
        yield _item(PurePosixPath(name).stem, "", name, source, settings, classes, findings)  # without a photograph


def _item(
    name: str,
    subset: str,
    label: str,
    source: Source,
    settings: dict[str, Any],
    classes: list[str],
    findings: list[Finding],
) -> Item:
    """Return an image with the objects of its label file."""
    item = Item(name, source.path(label), shares=True, subset=subset)
    try:
        text = source.text(label)
        item.shapes = shapes(text, classes, "kpt_shape" in settings, item.where, findings, item.notes)
    except DefectError as error:
        findings.append(error.in_file(item.where))
    return item


def _label_names(photo: str) -> Iterator[str]:
    path = PurePosixPath(photo).with_suffix(".txt")
    parts = list(path.parts)
    if "images" in parts[:-1]:
        last = len(parts) - 2 - parts[:-1][::-1].index("images")
        yield "/".join([*parts[:last], "labels", *parts[last + 1 :]])
    yield str(path)
    yield str(path.parent / "labels" / path.name)
    yield f"labels/{path.name}"


def _is_label(source: Source, name: str) -> bool:
    try:
        lines = [line for line in source.text(name).splitlines() if line.strip()]
    except DefectError:
        return False
    return bool(lines) and all(map(is_row, lines[:5]))


def _settings(source: Source, findings: list[Finding]) -> dict[str, Any]:
    """Return the content of data.yaml, or of the only YAML that has names."""
    found: dict[str, dict[str, Any]] = {}
    for name in source.having(".yaml", ".yml"):
        try:
            content = yaml.safe_load(source.text(name))
        except DefectError as error:
            findings.append(error.in_file(source.path(name)))
            continue
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            findings.append(Finding(source.path(name), f"no YAML ({error})", "names, train, val", "Export it again."))
            continue
        if isinstance(content, dict) and "names" in content:
            found[name] = content
    chosen = [name for name in found if PurePosixPath(name).stem in ("data", "dataset")] or list(found)
    if len(chosen) > 1:
        what, wanted = f"names in {', '.join(map(shown, chosen[:4]))}", "one YAML with names"
        findings.append(Finding(source.root, what, wanted, "Remove the others."))
    return found[chosen[0]] if chosen else {}


def _classes(source: Source, settings: dict[str, Any], findings: list[Finding]) -> list[str] | None:
    names = settings.get("names")
    if isinstance(names, dict):
        numbers = sorted(key for key in names if type(key) is int)
        whole = numbers == list(range(len(names)))
        names = [names[key] for key in numbers] if whole else None
    if names is None:
        files = [n for n in source.having(".txt", ".names") if PurePosixPath(n).name in NAMES]
        files = sorted(files, key=lambda n: (NAMES.index(PurePosixPath(n).name), n.count("/")))
        try:
            names = [line.strip() for line in source.text(files[0]).splitlines() if line.strip()] if files else None
        except DefectError as error:
            findings.append(error.in_file(source.path(files[0])))
            return None
    if not isinstance(names, list) or not all(isinstance(name, str | int) for name in names):
        wanted = "names as a list, or from 0 on by their numbers, in data.yaml; or one a line in classes.txt"
        findings.append(Finding(source.root, "no names of the classes", wanted, "Add them."))
        return None
    return [str(name) for name in names]


def _listed(
    source: Source, settings: dict[str, Any], findings: list[Finding], notes: Notes
) -> tuple[dict[str, set[str]], set[str]]:
    """Return the last parts of the photographs in data.yaml's lists, by split, and the files of the lists."""
    listed: dict[str, set[str]] = {}
    files = set()
    for split in SPLITS:
        for entry in _entries(settings.get(split)):
            name = next(
                (n for n in source.names if entry.endswith(".txt") and (n == entry or entry.endswith(f"/{n}"))), ""
            )
            if not name:
                if entry.endswith(".txt"):
                    notes.add(LOST_LIST, 1, shown(entry))
                continue
            files.add(name)
            try:
                lines = source.text(name).splitlines()
            except DefectError as error:
                findings.append(error.in_file(source.path(name)))
                continue
            listed.setdefault(split, set()).update(PurePosixPath(line.strip()).name for line in lines if line.strip())
    return listed, files


def _entries(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    plain = [value.strip().replace("\\", "/") for value in values if isinstance(value, str)]
    return [re.sub(r"^(\.{0,2}/)+", "", value).rstrip("/") for value in plain if value]


def _subset(photo: str, settings: dict[str, Any], listed: dict[str, set[str]]) -> str:
    """Return the split of a photograph by data.yaml's folders or lists, else by the name of a folder that it lies in."""
    folder = f"/{PurePosixPath(photo).parent}/"
    for split in SPLITS:
        inside = any(f"/{entry}/" in folder for entry in _entries(settings.get(split)) if not entry.endswith(".txt"))
        if inside or PurePosixPath(photo).name in listed.get(split, ()):
            return split
    return next((FOLDERS[part] for part in PurePosixPath(photo).parts[:-1] if part in FOLDERS), "")
