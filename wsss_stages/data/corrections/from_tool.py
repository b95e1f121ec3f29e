"""Corrections from an export of an annotation tool: masks and polygons, or else boxes, clicks and scribbles, of the images that it names.

The export needs no photographs. One that was renamed is found by its bytes, where the export holds or embeds them.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from wsss_stages.data.corrections.correction import Correction
from wsss_stages.data.corrections.matching import Images
from wsss_stages.data.findings import DefectError, Finding, shown
from wsss_stages.data.images import ImageError, open_photo
from wsss_stages.data.importers import coco_annotations, frames
from wsss_stages.data.importers.coco_content import BACKGROUND, Content, Id, read_content
from wsss_stages.data.importers.coco_shapes import fit
from wsss_stages.data.importers.recognise import lists_of_coco
from wsss_stages.data.importers.tools import cvat, datumaro, label_studio, labelme, yolo
from wsss_stages.data.importers.tools.build import Reader
from wsss_stages.data.importers.tools.drawing import Drawn, draw
from wsss_stages.data.importers.tools.photographs import Photographs
from wsss_stages.data.importers.tools.source import Source
from wsss_stages.data.importers.tools.spool import Entry, Items
from wsss_stages.data.index import Record
from wsss_stages.data.notes import Notes

READERS: dict[str, Reader] = {
    "yolo": yolo.read,
    "cvat": cvat.read,
    "label_studio": label_studio.read,
    "labelme": labelme.read,
    "datumaro": datumaro.read,
}
OTHERS = "images of the export that are not in the run, left out"
EMPTY = "images of the export without a shape, left out"
TAGS_ALONE = "images of the export with nothing but tags, which correct no label"


def read(kind: str, root: Path, images: Images, findings: list[Finding], notes: Notes) -> Iterator[Correction]:
    """Yield the corrections of an export, one at a time; what cannot be used becomes a finding."""
    source = Source(root, findings)
    if findings:
        return
    if kind == "coco":
        yield from _of_coco(source, images, findings, notes)
        return
    items = Items(READERS[kind](source, findings, notes).items)
    drawn = {name for name, kinds in items.named.items() if kinds != {"tag"}}
    classes = _numbers(drawn, root, images, findings)
    if findings:
        return
    photographs = Photographs(source, notes)
    masked = bool(items.kinds & {"polygon", "mask"})
    for entry in items.entries:
        image = _image(entry, images, source, photographs, findings)
        if image is None:
            notes.add(OTHERS, 1, shown(entry.name))
            continue
        record, item = images.index.records[image], items.read(entry)
        if not item.shapes:
            notes.add(EMPTY, 1, image)
            continue
        frame = _frame(record, images.index.root, entry.size)
        if frame is None:
            findings.append(_of_another_size(entry.where, entry.size, record))
            continue
        made = draw(item, frame, classes, masked)
        findings += [defect.in_file(entry.where) for defect in made.defects]
        notes.add_all(made.notes, image)
        if correction := _correction(image, kind, made, record):
            yield correction
        else:
            notes.add(TAGS_ALONE, 1, image)


def _correction(image: str, kind: str, made: Drawn, record: Record) -> Correction | None:
    """Return what the shapes of an image correct, the strongest first: a mask, boxes with clicks, or scribbles as a mask left open."""
    if made.truth is not None and (made.things or made.ground):
        return Correction(image, kind, made.truth)
    boxes = [thing.box for thing in made.things] if made.things else None
    box_classes = [thing.cls for thing in made.things] if made.things else None
    mask = made.scribbles(record.full_height, record.full_width) if made.lines else None
    points = made.points or None
    if boxes is None and points is None and mask is None:
        return None
    return Correction(image, kind, mask, boxes, box_classes, points)


def _numbers(names: set[str], root: Path, images: Images, findings: list[Finding]) -> dict[str, int]:
    """Return the run's number of every class; names that the run does not have are a finding."""
    classes = images.index.classes
    numbers = {name: number for number, name in enumerate(classes)}
    numbers |= {name: 0 for name in names if name.casefold() in BACKGROUND}
    if strange := sorted(names - set(numbers)):
        what = f"shapes of {', '.join(map(repr, strange[:5]))}, which the run has no class for"
        wanted = f"its classes, {', '.join(classes[1:])[:200]}"
        findings.append(Finding(root, what, wanted, "Rename them in the tool, or take the export of this project."))
    return numbers


def _image(
    entry: Entry, images: Images, source: Source, photographs: Photographs, findings: list[Finding]
) -> str | None:
    try:
        image = images.find(entry.name, entry.size, entry.sha256)
        if image is None and (path := photographs.find(entry)):
            with source.open(path) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
            image = images.find("", entry.size, digest)
        return image
    except DefectError as error:
        findings.append(error.in_file(entry.where))
        return None


def _frame(record: Record, root: Path, size: tuple[int, int] | None) -> frames.Frame | None:
    """Return how the raster of the shapes lies in the photograph; None if it has another shape."""
    height, width = record.full_height, record.full_width
    if size in (None, (height, width)):
        return frames.Frame(height, width)
    try:
        orientation = open_photo(root / record.photo).orientation
    except (ImageError, OSError):
        orientation = 1
    return frames.frame(height, width, orientation, size)


def _of_another_size(where: Path, size: tuple[object, object] | None, record: Record) -> Finding:
    found = f"image {record.id} of {size[1]}x{size[0]} pixels" if size else f"image {record.id} without its size"
    wanted = f"{record.full_width}x{record.full_height}, or its shape"
    return Finding(where, found, wanted, "Take the export of the photographs of this run.")


def _of_coco(source: Source, images: Images, findings: list[Finding], notes: Notes) -> Iterator[Correction]:
    for name in lists_of_coco(source):
        with tempfile.NamedTemporaryFile(suffix=".json") as copy:
            source.copy(name, Path(copy.name))
            try:
                content = read_content(Path(copy.name), findings, notes)
            except DefectError as error:
                findings.append(error.in_file(source.path(name)))
                continue
        numbers = _numbers(set(content.categories.values()), source.path(name), images, findings)
        class_of: dict[Id, int] = dict.fromkeys(content.background, 0)
        class_of |= {key: numbers.get(text, 0) for key, text in content.categories.items()}
        if not findings:
            yield from _of_list(content, class_of, source.path(name), images, findings, notes)


def _of_list(
    content: Content, class_of: dict[Id, int], where: Path, images: Images, findings: list[Finding], notes: Notes
) -> Iterator[Correction]:
    for entry in content.images:
        annotations = content.annotations.get(entry["id"], [])
        try:
            image = images.find(str(entry.get("file_name")))
        except DefectError as error:
            findings.append(error.in_file(where))
            continue
        if image is None or not annotations:
            notes.add(EMPTY if image else OTHERS, 1, shown(str(entry.get("file_name"))))
            continue
        record, size = images.index.records[image], (entry.get("height"), entry.get("width"))
        frame = fit(size, record.full_height, record.full_width)
        if frame is None:
            findings.append(_of_another_size(where, size, record))
            continue
        found = coco_annotations.read(annotations, frame, class_of)
        findings += [
            Finding(where, f"image {image}: {what}", wanted, remedy) for what, wanted, remedy in found.problems
        ]
        notes.add_all(found.notes, image)
        if found.labels is not None:
            yield Correction(image, "coco", found.labels)
        elif found.boxes:
            yield Correction(image, "coco", boxes=found.boxes, box_classes=found.classes)
