"""Corrections from the folder of a review page: images that a person accepted, with the mask or boxes as they were then."""

from collections.abc import Iterator
from pathlib import Path

from wsss_stages.data.corrections.correction import Correction
from wsss_stages.data.corrections.matching import Images
from wsss_stages.data.corrections.verdicts import FILE, MASKS, Verdicts
from wsss_stages.data.findings import Finding
from wsss_stages.data.images import ImageError, read_labels
from wsss_stages.data.notes import Notes
from wsss_stages.store import artifacts

UNDECIDED = "images of the review that are marked to be fixed but not accepted yet, left out"
SKIPPED = "images of the review that were skipped, left out"
OTHERS = "images of the review that are not in the run, left out"
CHANGED = "images of the review whose photographs have changed since, left out"


def review_folder(path: Path) -> Path | None:
    """Return the folder of a review that a path means; None if it is none."""
    if path.name == FILE and path.is_file():
        return path.parent
    return path if (path / FILE).is_file() else None


def read(folder: Path, images: Images, findings: list[Finding], notes: Notes) -> Iterator[Correction]:
    """Yield the corrections of a review, one at a time; what cannot be used becomes a finding."""
    index = images.index
    for verdict in Verdicts(folder, index.classes).by_image.values():
        if verdict.image not in index.records:
            notes.add(OTHERS, 1, verdict.image)
        elif verdict.state != "accept":
            notes.add(UNDECIDED, int(verdict.state == "fix"), verdict.image)
            notes.add(SKIPPED, int(verdict.state == "skip"), verdict.image)
        elif index.records[verdict.image].sha256 != verdict.photo_sha256:
            notes.add(CHANGED, 1, verdict.image)
        else:
            mask, path = None, folder / MASKS / verdict.mask
            if verdict.mask:
                try:
                    mask = read_labels(path) if artifacts.sha256(path) == verdict.mask_sha256 else None
                except (OSError, ImageError):
                    mask = None
                if mask is None:
                    found = "no mask, or another than was accepted"
                    findings.append(Finding(path, found, "the accepted one", "Accept the image once more."))
                    continue
            yield Correction(
                verdict.image, verdict.how, mask, verdict.boxes, verdict.box_classes, None, verdict.who, verdict.when
            )
