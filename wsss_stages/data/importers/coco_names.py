"""Ids of the images of lists in COCO's layout: the names of their files, or their paths where names are not enough.

- An id is the file's name without its suffix, in normal form C.
- Where two photographs of a list share one, the ids of this list are the paths below its folder, joined by `_`: a/1.jpg is a_1.
- Where two lists share one, and their files differ, the ids of both are the paths below the dataset's folder: train_1, val_1.
"""

import unicodedata
from dataclasses import dataclass
from pathlib import Path

from wsss_stages.data.findings import DefectError, Finding
from wsss_stages.data.importers.coco_lists import CocoList
from wsss_stages.data.names import below
from wsss_stages.data.notes import Notes
from wsss_stages.store import artifacts

FROM_PATHS = "images whose id is their path, as several files have one name"


@dataclass
class Listed:
    """An image's entry in its list."""

    of: CocoList
    photo: Path
    folder: Path
    """The folder that the photograph's path in the list starts from."""
    size: tuple[object, object]
    """Height and width as they stand there, None without."""
    annotations: list[dict]


def name_images(
    images: list[Listed], root: Path, findings: list[Finding], notes: Notes
) -> tuple[dict[str, Listed], dict[str, list[str]]]:
    """Return images by id and the ids of every split; an image that cannot have an id of its own is a finding."""
    images = _once(images, findings)
    ids = [_id(image.photo, image.photo.parent) for image in images]
    for split in ("train", "val"):
        own = [n for n, image in enumerate(images) if image.of.split == split]
        if len({ids[n] for n in own}) < len(own):
            ids = [
                _id(image.photo, image.folder) if image.of.split == split else ids[n] for n, image in enumerate(images)
            ]
    if _differ_between_lists(images, ids):
        ids = [_id(image.photo, root) for image in images]
    listed: dict[str, Listed] = {}
    splits: dict[str, list[str]] = {"train": [], "val": []}
    for image_id, image in zip(ids, images, strict=True):
        try:
            below(root, image_id)
        except DefectError as error:
            findings.append(error.in_file(image.of.path))
            continue
        if image_id in listed:
            findings.append(_second(image, image_id))
            continue
        listed[image_id] = image
        splits[image.of.split].append(image_id)
        if image_id != _id(image.photo, image.photo.parent):
            notes.add(FROM_PATHS, 1, image_id)
    return listed, splits


def _once(images: list[Listed], findings: list[Finding]) -> list[Listed]:
    """Return the images without those whose photograph an earlier one has."""
    first: dict[Path, Listed] = {}
    for image in images:
        if first.setdefault(image.photo, image) is not image:
            findings.append(_second(image, _id(image.photo, image.photo.parent)))
    return list(first.values())


def _differ_between_lists(images: list[Listed], ids: list[str]) -> bool:
    """Return whether lists share ids, and every shared id means two photographs, not one that is listed twice."""
    photos: dict[str, dict[str, Path]] = {}
    for image_id, image in zip(ids, images, strict=True):
        photos.setdefault(image_id, {})[image.of.split] = image.photo
    shared = [[*places.values()] for places in photos.values() if len(places) > 1]
    return bool(shared) and all(artifacts.sha256(one) != artifacts.sha256(other) for one, other in shared)


def _id(photo: Path, folder: Path) -> str:
    parts = photo.relative_to(folder).with_name(photo.stem).parts
    return unicodedata.normalize("NFC", "_".join(parts))


def _second(image: Listed, image_id: str) -> Finding:
    return Finding(
        image.of.path, f"image {image_id} a second time", "one image of a name", "Remove or rename one of them."
    )
