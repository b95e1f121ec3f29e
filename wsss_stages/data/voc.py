"""A folder in PASCAL VOC layout to the index; it is only ever read.

JPEGImages/ID.jpg (or png, tif, webp, bmp)   classes.txt (optional, background first)
SegmentationClass/ID.png, SegmentationObject/ID.png (optional truth)
ImageSets/Segmentation/NAME.txt (optional; without lists every image is for training)
Weak labels: see data.weak_labels; saliency maps: data.saliency.
"""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wsss_stages import UNKNOWN, artifacts
from wsss_stages.data.documents import read_ids, read_lines
from wsss_stages.data.examine import Examined, examine_all
from wsss_stages.data.findings import DatasetError, DefectError, Finding
from wsss_stages.data.images import SUFFIXES, ImageError, read_labels, read_photo
from wsss_stages.data.index import Index, Record, sample
from wsss_stages.data.names import below, class_problem, id_problem, there
from wsss_stages.data.saliency import add_saliency
from wsss_stages.data.weak_labels import WeakLabels, read_mask

VOC_CLASSES = (
    "background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person "
    "pottedplant sheep sofa train tvmonitor"
).split()


@dataclass(frozen=True)
class Layout:
    """What a folder calls its parts, and its classes where classes.txt does not tell them."""

    classes: tuple[str, ...]
    lists: str
    """Below ImageSets."""
    truth: str
    instances: str
    weak: str = ""
    """Folder of the weak labels, where they are not in one of their own."""


VOC = Layout(tuple(VOC_CLASSES), "Segmentation", "SegmentationClass", "SegmentationObject")


def import_voc(
    dataset: str,
    root: Path,
    train_list: str = "train",
    val_list: str = "val",
    limit: int = 0,
    max_side: int = 0,
    weak_root: Path | None = None,
    truth_list: str = "",
    saliency: Path | None = None,
    layout: Layout = VOC,
    workers: int = 4,
) -> Index:
    """Validate the folder and return its index.

    Args:
        train_list, val_list: names of lists in ImageSets/Segmentation; a missing val list gives an empty split.
        limit: use only so many training images, chosen by a hash of their ids; 0 uses all.
        max_side: longer side of the working size of larger photographs, pixels; 0 keeps all at full size.
        truth_list: list of training images whose true masks may be learned from; empty: none.
        weak_root: folder of the weak labels where it is another one.
        saliency: folder of saliency maps, one for every training image; None: there are none.

    Raises: DatasetError with every finding.
    """
    if not (root / "JPEGImages").is_dir():
        raise DatasetError(
            [
                Finding(
                    root,
                    "no folder JPEGImages",
                    "a folder in PASCAL VOC layout",
                    "See README, 'Your own folder'.",
                )
            ]
        )
    findings: list[Finding] = []
    if weak_root and not weak_root.is_dir():
        findings.append(Finding(weak_root, "no such folder", "a folder of weak labels", "Correct data.weak_labels."))
    if saliency and not saliency.is_dir():
        findings.append(Finding(saliency, "no such folder", "a folder of saliency maps", "Correct data.saliency."))
        saliency = None
    classes = _classes(root, layout, findings)
    photos = _photos(root, findings)
    lists = root / "ImageSets" / layout.lists
    splits = _splits(root, lists, photos, train_list, val_list, findings)
    if limit:
        splits["train"] = sample(splits["train"], limit)
    labels = WeakLabels(weak_root or root / layout.weak, root, classes, findings)
    ids = list(dict.fromkeys(splits["train"] + splits["val"]))

    trained = set(splits["train"])
    learnable = _learnable(root, lists, truth_list, trained, findings) if truth_list else set()

    def examine(image_id: str) -> Examined:
        salient = saliency if image_id in trained else None
        photo = root / "JPEGImages" / photos[image_id]
        return _examine(root, layout, photo, image_id, labels, image_id in learnable, salient)

    records, notes = examine_all(ids, examine, findings, max_side, workers)
    return Index(dataset, root.resolve(), classes, splits, records, notes)


def _classes(root: Path, layout: Layout, findings: list[Finding]) -> list[str]:
    path = root / "classes.txt"
    try:
        if not there(path, root):
            return list(layout.classes)
        names = read_lines(path)
    except DefectError as error:
        findings.append(error.at(path))
        return list(layout.classes)
    for name in names:
        if problem := class_problem(name):
            wanted = "names of letters, digits, marks and blanks"
            findings.append(Finding(path, f"class {name[:40]!a} with {problem}", wanted, "Rename it."))
    if not names or names[0] != "background":
        findings.append(
            Finding(path, f"first line {names[:1]}", "background first", "Put 'background' on its first line.")
        )
    if len(set(names)) != len(names) or len(names) > UNKNOWN:
        findings.append(
            Finding(
                path,
                f"{len(names)} names, repeated or too many",
                f"at most {UNKNOWN} different names",
                "Remove the repeated ones.",
            )
        )
    return names


def _photos(root: Path, findings: list[Finding]) -> dict[str, str]:
    """File of every photograph by id."""
    photos: dict[str, str] = {}
    for name in sorted(os.listdir(root / "JPEGImages")):
        stem, suffix = os.path.splitext(name)
        if suffix.lower() not in SUFFIXES:
            continue
        if stem in photos:
            findings.append(
                Finding(
                    root / "JPEGImages" / name,
                    f"id {stem} a second time, beside {photos[stem]}",
                    "one image per id",
                    "Remove or rename one of them.",
                )
            )
        photos.setdefault(stem, name)
    return photos


def _splits(
    root: Path, lists: Path, photos: dict[str, str], train_list: str, val_list: str, findings: list[Finding]
) -> dict[str, list[str]]:
    splits: dict[str, list[str]] = {"train": [], "val": []}
    if not lists.is_dir():
        splits["train"] = list(photos)
    for split, name in (("train", train_list), ("val", val_list)):
        path, ids = _list(root, lists, name, findings)
        if ids is None:
            if split == "train" and lists.is_dir():
                there = ", ".join(sorted(p.stem for p in lists.glob("*.txt"))) or "none"
                findings.append(
                    Finding(
                        path,
                        "no such list",
                        f"one of {there}",
                        "Set data.train_list to the list of training images.",
                    )
                )
            continue
        for image_id, count in Counter(ids).items():
            if count > 1:
                findings.append(
                    Finding(path, f"id {image_id} {count} times", "every id once", "Remove the repeated lines.")
                )
            if problem := id_problem(image_id):
                findings.append(_bad_id(path, image_id, problem))
            elif image_id not in photos:
                findings.append(
                    Finding(
                        path,
                        f"id {image_id} without an image",
                        f"JPEGImages/{image_id}.jpg",
                        "Add the image or remove the line.",
                    )
                )
            if split == "val" and image_id in splits["train"]:
                findings.append(
                    Finding(
                        path,
                        f"id {image_id}, which is in {train_list}.txt too",
                        "no image in both lists",
                        "Scores on training images would flatter: remove it from one.",
                    )
                )
        splits[split] = [image_id for image_id in dict.fromkeys(ids) if image_id in photos]
    if not splits["train"] and not findings:
        findings.append(Finding(root, "no training image", "at least one", "Put images into JPEGImages."))
    return splits


def _list(root: Path, lists: Path, name: str, findings: list[Finding]) -> tuple[Path, list[str] | None]:
    """A list's file and its ids, None without such a file; one that cannot be read is a finding and empty."""
    path = lists / f"{name}.txt"
    try:
        path = below(lists, f"{name}.txt")
        return path, read_ids(path) if there(path, root) else None
    except DefectError as error:
        findings.append(error.at(path))
        return path, []


def _learnable(root: Path, lists: Path, name: str, train: set[str], findings: list[Finding]) -> set[str]:
    """Training images whose true masks may be learned from."""
    path, ids = _list(root, lists, name, findings)
    if ids is None:
        findings.append(Finding(path, "no such list", "ids, one a line", "Correct data.truth_list."))
    return train.intersection(ids or ())


def _bad_id(path: Path, image_id: str, problem: str) -> Finding:
    wanted = "the name of a photograph in JPEGImages, without its suffix"
    return Finding(path, f"id {image_id[:80]!a} with {problem}", wanted, "Rename the image and correct the list.")


def _examine(
    root: Path, layout: Layout, photo: Path, image_id: str, labels: WeakLabels, learnable: bool, saliency: Path | None
) -> Examined:
    if problem := id_problem(image_id):
        return None, [_bad_id(photo, image_id, problem)], {}
    try:
        there(photo, root)
        height, width = read_photo(photo).shape[:2]
    except DefectError as error:
        return None, [error.at(photo)], {}
    except ImageError as error:
        remedy = "Copy the file again from its source or remove the id."
        return None, [Finding(photo, str(error), "a whole image", remedy)], {}
    record = Record(image_id, str(photo.relative_to(root)), artifacts.sha256(photo), height, width, height, width)
    findings: list[Finding] = []
    notes: dict[str, int] = {}
    record.truth = _mask(root, layout.truth, record, set(range(len(labels.classes))) | {UNKNOWN}, findings)
    record.instances = _mask(root, layout.instances, record, None, findings)
    if masks := [artifacts.sha256(root / mask) for mask in (record.truth, record.instances) if mask]:
        record.masks_sha256 = artifacts.fingerprint(masks)
    labels.add(record, findings, notes)
    if saliency:
        add_saliency(record, saliency, root, findings)
    if learnable and record.truth:
        record.kinds.append("truth")
        record.truth_sha256 = artifacts.sha256(root / record.truth)
        classes = set(np.unique(read_labels(root / record.truth)).tolist()) - {0, UNKNOWN}
        record.tags = sorted({*record.tags, *classes})
    elif learnable:
        wanted = f"{layout.truth}/{image_id}.png"
        findings.append(Finding(photo, "no true mask to learn from", wanted, "Add it, or correct data.truth_list."))
    return record, findings, notes


def _mask(root: Path, folder: str, record: Record, ids: set[int] | None, findings: list[Finding]) -> str | None:
    """Relative path of an optional mask, checked for size, mode and values."""
    path = root / folder / f"{record.id}.png"
    try:
        if not there(path, root):
            return None
        read_mask(path, record, ids)
    except DefectError as error:
        findings.append(error.at(path))
        return None
    return str(path.relative_to(root))
