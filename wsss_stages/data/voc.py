"""A folder in PASCAL VOC layout to the index; it is only ever read.

JPEGImages/ID.jpg (or png, tif, webp, bmp)   Annotations/ID.xml (boxes, 1-based inclusive)
SegmentationClass/ID.png, SegmentationObject/ID.png (optional truth)   classes.txt (optional, background first)
ImageSets/Segmentation/NAME.txt (optional; without lists every image is for training)
Scribbles/ID.png, points.json (optional)
"""

import math
import xml.etree.ElementTree as ElementTree
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from wsss_stages import UNKNOWN, artifacts
from wsss_stages.data.findings import DatasetError, Finding
from wsss_stages.data.images import SUFFIXES, ImageError, read_labels, read_photo
from wsss_stages.data.index import Index, Record, stable_hash

VOC_CLASSES = (
    "background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person "
    "pottedplant sheep sofa train tvmonitor"
).split()


def import_voc(
    dataset: str,
    root: Path,
    train_list: str = "train",
    val_list: str = "val",
    limit: int = 0,
    max_side: int = 0,
    workers: int = 4,
) -> Index:
    """Validate the folder and return its index.

    Args:
        train_list, val_list: names of lists in ImageSets/Segmentation; a missing val list gives an empty split.
        limit: use only so many training images, chosen by a hash of their ids; 0 uses all.
        max_side: longer side of the working size of larger photographs, pixels; 0 keeps all at full size.

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
    classes = _classes(root, findings)
    photos = _photos(root, findings)
    splits = _splits(root, photos, train_list, val_list, findings)
    if limit:
        splits["train"] = _sample(splits["train"], limit)
    points = artifacts.read_json(root / "points.json") if (root / "points.json").exists() else {}
    train = set(splits["train"])
    ids = list(dict.fromkeys(splits["train"] + splits["val"]))

    def examine(image_id: str) -> tuple[Record | None, list[Finding]]:
        return _examine(root, photos[image_id], image_id, classes, points.get(image_id, []), image_id in train)

    with ThreadPoolExecutor(workers) as pool:
        examined = list(pool.map(examine, ids))
    findings += [finding for _, found in examined for finding in found]
    if findings:
        raise DatasetError(findings)
    records = [r.reduced(max_side) if max_side else r for r, _ in examined if r is not None]
    return Index(dataset, root.resolve(), classes, splits, {r.id: r for r in records})


def _classes(root: Path, findings: list[Finding]) -> list[str]:
    path = root / "classes.txt"
    if not path.exists():
        return list(VOC_CLASSES)
    names = [line.strip() for line in path.read_text().splitlines() if line.strip()]
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


def _photos(root: Path, findings: list[Finding]) -> dict[str, Path]:
    """Path of every photograph by id."""
    photos: dict[str, Path] = {}
    for path in sorted((root / "JPEGImages").iterdir()):
        if path.suffix.lower() not in SUFFIXES:
            continue
        if path.stem in photos:
            findings.append(
                Finding(
                    path,
                    f"id {path.stem} a second time, beside {photos[path.stem].name}",
                    "one image per id",
                    "Remove or rename one of them.",
                )
            )
        photos.setdefault(path.stem, path)
    return photos


def _splits(
    root: Path, photos: dict[str, Path], train_list: str, val_list: str, findings: list[Finding]
) -> dict[str, list[str]]:
    lists = root / "ImageSets" / "Segmentation"
    splits: dict[str, list[str]] = {"train": [], "val": []}
    if not lists.is_dir():
        splits["train"] = list(photos)
    for split, name in (("train", train_list), ("val", val_list)):
        path = lists / f"{name}.txt"
        if not path.exists():
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
        ids = [line.split()[0] for line in path.read_text().splitlines() if line.strip()]
        for image_id, count in Counter(ids).items():
            if count > 1:
                findings.append(
                    Finding(path, f"id {image_id} {count} times", "every id once", "Remove the repeated lines.")
                )
            if image_id not in photos:
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


def _sample(ids: list[str], limit: int) -> list[str]:
    kept = set(sorted(ids, key=lambda image_id: stable_hash(image_id, "data.limit"))[:limit])
    return [image_id for image_id in ids if image_id in kept]


def _examine(
    root: Path, photo: Path, image_id: str, classes: list[str], points: list, training: bool
) -> tuple[Record | None, list[Finding]]:
    """The record of one image, and what is wrong with it."""
    try:
        height, width = read_photo(photo).shape[:2]
    except ImageError as error:
        return None, [
            Finding(photo, str(error), "a whole image", "Copy the file again from its source or remove the id.")
        ]
    record = Record(image_id, str(photo.relative_to(root)), artifacts.sha256(photo), height, width, height, width)
    findings: list[Finding] = []
    xml = root / "Annotations" / f"{image_id}.xml"
    if xml.exists():
        record.boxes, record.box_classes = _boxes(xml, record, classes, findings)
    elif training:
        findings.append(
            Finding(
                xml,
                f"no boxes for training image {image_id}",
                "a VOC annotation",
                "Draw its boxes, or remove the id from the list.",
            )
        )
    record.tags = sorted(set(record.box_classes))
    ids = set(range(len(classes))) | {UNKNOWN}
    record.truth = _mask(root, "SegmentationClass", record, ids, findings)
    record.instances = _mask(root, "SegmentationObject", record, None, findings)
    record.scribbles = _mask(root, "Scribbles", record, ids, findings)
    record.points = _points(root, record, points, len(classes), findings)
    return record, findings


def _mask(root: Path, folder: str, record: Record, ids: set[int] | None, findings: list[Finding]) -> str | None:
    """Relative path of an optional mask, checked for size, mode and values."""
    path = root / folder / f"{record.id}.png"
    if not path.exists():
        return None
    try:
        labels = read_labels(path)
    except ImageError as error:
        findings.append(
            Finding(path, str(error), "a palette or grey PNG of class indices", "Convert colours to indices.")
        )
        return None
    if labels.shape != (record.height, record.width):
        findings.append(
            Finding(
                path,
                f"{labels.shape[1]}x{labels.shape[0]} pixels",
                f"{record.width}x{record.height} like the image",
                "Resize with nearest neighbour, or export it again.",
            )
        )
    strange = sorted(set(np.unique(labels).tolist()) - ids) if ids is not None else []
    if strange:
        findings.append(
            Finding(
                path,
                f"values {strange[:5]}",
                f"0..{len(ids or ()) - 2} or {UNKNOWN}",
                "Check classes.txt, or the tool that wrote the mask.",
            )
        )
    return str(path.relative_to(root))


def _boxes(xml: Path, record: Record, classes: list[str], findings: list[Finding]) -> tuple[list[list[int]], list[int]]:
    """Boxes (0-based, half open) and their classes; VOC's 1-based inclusive coordinates end here."""
    try:
        objects = ElementTree.parse(xml).getroot().findall("object")
    except ElementTree.ParseError as error:
        findings.append(Finding(xml, f"no XML ({error})", "a VOC annotation", "Export it again."))
        return [], []
    boxes, box_classes = [], []
    for number, element in enumerate(objects, 1):
        name = (element.findtext("name") or "").strip()
        texts = [element.findtext(f"bndbox/{key}") for key in ("xmin", "ymin", "xmax", "ymax")]
        problem = (
            None
            if name in classes[1:]
            else (
                f"class {name!r}",
                f"one of {', '.join(classes[1:])}",
                "Correct the name or add it to classes.txt.",
            )
        )
        if problem is None:
            problem = _box_problem(texts, record)
        if problem is not None:
            found, wanted, remedy = problem
            findings.append(Finding(xml, f"object {number} with {found}", wanted, remedy))
            continue
        x0, y0, x1, y1 = (round(float(text)) for text in texts)  # type: ignore[arg-type]
        boxes.append([x0 - 1, y0 - 1, x1, y1])
        box_classes.append(classes.index(name))
    return boxes, box_classes


def _box_problem(texts: list[str | None], record: Record) -> tuple[str, str, str] | None:
    """Why four texts are no box of the image: found, wanted, remedy; None if they are one."""
    try:
        values = [float(text) for text in texts]  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return f"box {texts}", "four numbers xmin ymin xmax ymax", "Complete the bndbox."
    if not all(map(math.isfinite, values)):
        return f"box {values}", "finite numbers", "Draw the box again."
    x0, y0, x1, y1 = map(round, values)
    inside = f"1 <= x <= {record.width}, 1 <= y <= {record.height}"
    if x1 < x0 or y1 < y0:
        return f"inverted box {values}", "xmin <= xmax and ymin <= ymax", "Swap the corners."
    if values[0] == values[2] or values[1] == values[3]:
        return (
            f"box {values} without area",
            "a box of at least two pixels a side",
            "Draw the box again or remove the object.",
        )
    if x0 < 1 or y0 < 1 or x1 > record.width or y1 > record.height:
        return f"box {values} outside the image", inside, "Clip the box; VOC counts pixels from 1."
    return None


def _points(root: Path, record: Record, points: list, classes: int, findings: list[Finding]) -> list[list[int]]:
    found = []
    for point in points:
        x, y, cls = point["x"], point["y"], point["cls"]
        if not (0 <= x < record.width and 0 <= y < record.height and 0 <= cls < classes):
            findings.append(
                Finding(
                    root / "points.json",
                    f"point {point} of {record.id}",
                    f"0 <= x < {record.width}, 0 <= y < {record.height}, class 0..{classes - 1}",
                    "Correct or remove the point.",
                )
            )
            continue
        found.append([int(x), int(y), int(cls)])
    return found
