"""Corrections from a folder of PNGs named after the photographs: indices of classes, palettes, or the colours of classes.txt.

The masks lie in SegmentationClass, in labels, or in the folder itself; where classes.txt names the classes in another order than the run,
its names count. A folder in VOC layout may have boxes, Annotations/ID.xml, for images without a mask.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.data.corrections.correction import Correction
from wsss_stages.data.corrections.matching import Images
from wsss_stages.data.findings import DefectError, Finding
from wsss_stages.data.images import ImageError, label_size, open_photo
from wsss_stages.data.importers.class_names import read_classes
from wsss_stages.data.importers.masks import Masks
from wsss_stages.data.importers.photographs import hidden
from wsss_stages.data.importers.voc_boxes import read_boxes
from wsss_stages.data.names import has_file
from wsss_stages.data.notes import Notes

PLACES = ("SegmentationClass", "labels", ".")
OTHERS = "masks of no image of the run, left out"
BESIDE_A_MASK = "boxes of images that have a mask, left out"


def mask_folder(root: Path) -> Path | None:
    """Return the folder below `root` that masks lie in; None without."""
    return next((folder for place in PLACES if any((folder := root / place).glob("*.png"))), None)


def read(root: Path, images: Images, findings: list[Finding], notes: Notes) -> Iterator[Correction]:
    """Yield the corrections of a folder, one at a time; what cannot be used becomes a finding."""
    index, masked = images.index, set()
    names, colours = read_classes(root, tuple(index.classes), findings)
    numbers = _numbers(names, index.classes)
    folder = mask_folder(root)
    masks = Masks(folder or root, root, len(names), colours)
    for path in _files(folder, ".png"):
        image = _image(path, images, findings, notes)
        if image is None:
            continue
        record = index.records[image]
        try:
            has_file(path, root)
            shown = [names.index(index.classes[c]) for c in record.tags if index.classes[c] in names]
            labels, how = masks.read(path, record.full_height, record.full_width, shown)
            _check_classes(labels, names, index.classes)
        except DefectError as error:
            findings.append(error.in_file(path))
            continue
        for text in how:
            notes.add(text, 1, image)
        masked.add(image)
        yield Correction(image, "mask", numbers[labels])
    yield from _boxes(root, images, masked, findings, notes)


def _files(folder: Path | None, suffix: str) -> list[Path]:
    return sorted(path for path in folder.glob(f"*{suffix}") if not hidden(path.name)) if folder else []


def _image(path: Path, images: Images, findings: list[Finding], notes: Notes) -> str | None:
    """Return the image that a file is named after; of several by the mask's size."""
    try:
        image = images.find(path.name, label_size(path) if path.suffix == ".png" else None)
    except ImageError as error:
        findings.append(Finding(path, str(error), "a PNG of classes", "Export it again."))
        return None
    except DefectError as error:
        findings.append(error.in_file(path))
        return None
    notes.add(OTHERS, int(image is None), path.name)
    return image


def _numbers(names: list[str], classes: list[str]) -> np.ndarray:
    """Return (256,) uint8: the run's number of every number of a mask; 255 for classes that the run lacks."""
    known = {number: classes.index(name) for number, name in enumerate(names) if name in classes}
    numbers = np.full(256, UNKNOWN, np.uint8)
    numbers[list(known)] = list(known.values())
    return numbers


def _check_classes(labels: np.ndarray, names: list[str], classes: list[str]) -> None:
    """Raise DefectError for pixels of a class that the run lacks."""
    strange = [names[n] for n in np.unique(labels) if n < len(names) and names[n] not in classes]
    if strange:
        raise DefectError(
            f"pixels of {', '.join(strange)}",
            f"classes of the run, {', '.join(classes)[:200]}",
            "Repaint them, or correct classes.txt.",
        )


def _boxes(root: Path, images: Images, masked: set[str], findings: list[Finding], notes: Notes) -> Iterator[Correction]:
    for path in _files(root / "Annotations", ".xml"):
        image = _image(path, images, findings, notes)
        if image is None:
            continue
        if image in masked:
            notes.add(BESIDE_A_MASK, 1, image)
            continue
        index, record = images.index, images.index.records[image]
        counts: dict[str, int] = {}
        try:
            orientation = open_photo(index.root / record.photo).orientation
        except (ImageError, OSError) as error:
            findings.append(Finding(index.root / record.photo, str(error), "the photograph of the run", "Restore it."))
            continue
        size = record.full_height, record.full_width
        found = read_boxes(path, *size, orientation, index.classes, findings, counts)
        notes.add_all(counts, image)
        yield Correction(image, "boxes", boxes=found.boxes, box_classes=found.classes)
