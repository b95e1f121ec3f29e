"""Corrections on their way into the index: masks that labels are made from, boxes and points in place of the dataset's."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import compress
from pathlib import Path

import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.data.corrections.correction import Correction, check
from wsss_stages.data.corrections.kept import FILE, MASKS, Entry, Kept
from wsss_stages.data.findings import DatasetError, DefectError, Finding
from wsss_stages.data.images import ImageError, read_labels
from wsss_stages.data.index import Index, Record
from wsss_stages.data.notes import Notes
from wsss_stages.store import artifacts

MASKED = "training images with a mask corrected by hand, which is their label"
BOXED = "training images with boxes corrected by hand"
POINTED = "training images with points corrected by hand"
NOT_TRAINED = "corrections of images that are not for training, not used"
CHANGED = "corrections of photographs that have changed since, not used"
DROPPED = "boxes and points that a corrected mask contradicts, left out"
AGAIN = "Import the correction again."


class WithCorrections(Mapping[str, Record]):
    """Records of an index, some of them corrected."""

    def __init__(self, records: Mapping[str, Record], corrected: dict[str, Record]):
        self._records, self._corrected = records, corrected

    def __getitem__(self, image_id: str) -> Record:
        return self._corrected[image_id] if image_id in self._corrected else self._records[image_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)


def with_corrections(index: Index, folder: Path) -> Index:
    """Return an index with the corrections of a folder. Raises DatasetError with every finding."""
    kept = Kept.read(folder)
    if kept.classes != index.classes:
        found = f"corrections of the classes {', '.join(kept.classes)[:200]}"
        wanted = f"those of the dataset, {', '.join(index.classes)[:200]}"
        raise DatasetError(
            [Finding(folder / FILE, found, wanted, "Restore the classes, or set data.corrections to ''.")]
        )
    trained, notes = {*index.splits["train"]}, index.notes
    corrected: dict[str, Record] = {}
    findings: list[Finding] = []
    for image, entry in kept.entries.items():
        if image not in trained:
            notes.add(NOT_TRAINED, 1, image)
            continue
        record = index.records[image]
        if record.sha256 != entry.photo_sha256:
            notes.add(CHANGED, 1, image)
            continue
        try:
            corrected[image] = _corrected(record, entry, folder.resolve() / MASKS, len(index.classes), notes)
        except DefectError as error:
            findings.append(error.in_file(folder / MASKS / entry.mask if entry.mask else folder / FILE))
    if findings:
        raise DatasetError(findings)
    return replace(index, records=WithCorrections(index.records, corrected))


def _corrected(record: Record, entry: Entry, masks: Path, classes: int, notes: Notes) -> Record:
    mask = _mask(masks / entry.mask, entry.mask_sha256) if entry.mask else None
    check(Correction(record.id, entry.how, mask, entry.boxes, entry.box_classes, entry.points), record, classes)
    given = record.with_full(entry.boxes or [], entry.points or [])
    kinds, tags = [*record.kinds], set(record.tags)
    if entry.boxes is not None and entry.box_classes is not None:
        notes.add(BOXED, 1, record.id)
        kinds += ["box"] * ("box" not in kinds)
        tags = {*entry.box_classes, *(tags - set(record.box_classes))}
        record = replace(record, boxes=given.boxes, box_classes=entry.box_classes)
    if entry.points is not None:
        notes.add(POINTED, 1, record.id)
        kinds += ["point"] * ("point" not in kinds)
        record = replace(record, points=given.points)
    if mask is not None:
        notes.add(MASKED, 1, record.id)
        kinds += ["truth"] * ("truth" not in kinds)
        record = _without_contradictions(record, mask, notes)
        record = replace(record, corrected=str(masks / entry.mask), truth_sha256=entry.mask_sha256)
        held = set(np.unique(mask).tolist()) - {0, UNKNOWN}
        tags = tags | held if UNKNOWN in mask else held
    shown = {*record.box_classes, *record.scribble_classes, *(cls for _, _, cls in record.points)} - {0}
    return replace(record, kinds=kinds, tags=sorted(tags | shown))


def _without_contradictions(record: Record, mask: np.ndarray, notes: Notes) -> Record:
    """Return the record without boxes in which a mask has neither the class nor an open pixel, and points on other classes."""
    boxes = record.full_boxes().tolist()
    fits = [_agrees(mask, box, cls) for box, cls in zip(boxes, record.box_classes, strict=True)]
    good = [mask[y, x] in (cls, UNKNOWN) for x, y, cls in _full_points(record)]
    notes.add(DROPPED, len(fits) + len(good) - sum(fits) - sum(good), record.id)
    return replace(
        record,
        boxes=list(compress(record.boxes, fits)),
        box_classes=list(compress(record.box_classes, fits)),
        points=list(compress(record.points, good)),
    )


def _mask(path: Path, sha256: str) -> np.ndarray:
    """Return a kept mask. Raises DefectError if it is not the one that was imported."""
    try:
        if artifacts.sha256(path) != sha256:
            raise DefectError("another mask than was imported (sha256 differs)", "the imported one", AGAIN)
        return read_labels(path)
    except (OSError, ImageError) as error:
        raise DefectError(f"no mask that can be read ({error})", "the imported one", AGAIN) from error


def _full_points(record: Record) -> list[list[int]]:
    """Return the middles, in the photograph, of the pixels at working size that points lie in."""
    (h, w), (height, width) = (record.full_height, record.full_width), (record.height, record.width)
    return [[(2 * x + 1) * w // (2 * width), (2 * y + 1) * h // (2 * height), cls] for x, y, cls in record.points]


def _agrees(mask: np.ndarray, box: list[int], cls: int) -> bool:
    """Return whether a mask has a pixel of a box's class in it, or leaves one open."""
    x0, y0, x1, y1 = box
    inside = mask[y0:y1, x0:x1]
    return bool(((inside == cls) | (inside == UNKNOWN)).any())
