"""Corrections from whatever a user has: a review, a folder of masks, or an export of a tool, as its content shows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wsss_stages.data.corrections import from_masks, from_review, from_tool
from wsss_stages.data.corrections.correction import Correction, check
from wsss_stages.data.corrections.matching import NAMED, Images
from wsss_stages.data.findings import DatasetError, DefectError, Finding
from wsss_stages.data.importers.recognise import WANTED, fitting
from wsss_stages.data.index import Index
from wsss_stages.data.notes import Notes

NOT_TRAINED = "corrections of images that are not for training, left out"
TWICE = "images corrected more than once, the last correction taken"


@dataclass
class Corrections:
    """Corrections that were checked; `read` yields them as often as it is called, one at a time."""

    kind: str
    read: Callable[[], Iterator[Correction]]
    count: int = 0
    notes: Notes = field(default_factory=Notes)


def corrections_of(path: Path, index: Index) -> Corrections:
    """Check the corrections of a file or folder. Raises DatasetError with every finding, and where nothing is corrected."""
    images = Images(index)
    kind, reader = _reader(path)
    findings: list[Finding] = []
    trained = {*index.splits["train"]}
    made = Corrections(kind, lambda: _of_training(reader(images, [], Notes()), trained))
    seen: set[str] = set()
    others: list[str] = []
    for correction in reader(images, findings, made.notes):
        if correction.image not in trained:
            others.append(correction.image)
            continue
        try:
            check(correction, index.records[correction.image], len(index.classes))
        except DefectError as error:
            what = f"image {correction.image} with {error.found}"
            findings.append(Finding(path, what, error.wanted, error.remedy))
        made.notes.add(TWICE, int(correction.image in seen), correction.image)
        seen.add(correction.image)
    made.notes.add_each(NOT_TRAINED, others)
    made.count = len(seen)
    if not made.count and not findings:
        left = "; ".join(f"{text}: {note}" for text, note in made.notes.items()) or "none in it"
        wanted = f"one of an image of the run, as {', '.join(index.splits['train'][:NAMED])}"
        findings.append(Finding(path, f"no correction to take ({left})", wanted, "Is it of another project?"))
    if findings:
        raise DatasetError(findings)
    return made


def _of_training(corrections: Iterator[Correction], trained: set[str]) -> Iterator[Correction]:
    return (correction for correction in corrections if correction.image in trained)


def _reader(path: Path) -> tuple[str, Callable[[Images, list[Finding], Notes], Iterator[Correction]]]:
    """Return what a file or folder is, and the function that reads it. Raises DatasetError where that is not certain."""
    if not path.exists():
        raise DatasetError([Finding(path, "no such file or folder", "corrections", "Correct the path.")])
    if folder := from_review.review_folder(path):
        return "review", lambda images, findings, notes: from_review.read(folder, images, findings, notes)
    kinds = [kind for kind in fitting(path) if kind == "coco" or kind in from_tool.READERS]
    masks = path.is_dir() and (from_masks.mask_folder(path) or (path / "Annotations").is_dir())
    if len(kinds) == 1:
        return kinds[0], lambda images, findings, notes: from_tool.read(kinds[0], path, images, findings, notes)
    if not kinds and masks:
        return "masks", lambda images, findings, notes: from_masks.read(path, images, findings, notes)
    found = f"labels of {' and of '.join(kinds)}" if kinds else "labels of no kind that is known"
    wanted = f"a folder of a review, PNGs of masks, or one of {WANTED}"
    raise DatasetError([Finding(path, found, wanted, "Give the export alone, in a folder or zip of its own.")])
