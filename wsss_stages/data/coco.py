"""A folder in COCO's layout to the index; it is only ever read.

annotations/instances_NAME.json   images, categories, annotations with boxes, and polygons or run-length codes if any
NAME/FILE.jpg                     photographs of the list NAME: train2017, val2017, ...

Truth is drawn from the masks into palette PNGs in a folder of the results. What is left out or refused: data.coco_annotations.
Classes are the categories in the order of their ids, counted from 1.
"""

from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from wsss_stages import UNKNOWN, artifacts
from wsss_stages.data import coco_annotations
from wsss_stages.data.findings import DatasetError, Finding
from wsss_stages.data.images import ImageError, read_photo
from wsss_stages.data.index import Index, Record, sample
from wsss_stages.data.voc_writer import write_labels

KEYS = ("images", "annotations", "categories")


@dataclass
class Listed:
    """An image as its list tells it."""

    json: Path
    photo: Path
    size: tuple[object, object]
    annotations: list[dict]


def import_coco(
    dataset: str,
    root: Path,
    train_list: str,
    val_list: str,
    truth: Path,
    limit: int = 0,
    max_side: int = 0,
    workers: int = 4,
) -> Index:
    """Validate the folder, write its truth and return its index.

    Args:
        train_list, val_list: NAME of annotations/instances_NAME.json; a missing val list gives an empty split.
        truth: folder to write SegmentationClass/ID.png and SegmentationObject/ID.png into.
        limit, max_side: as in data.voc.

    Raises: DatasetError with every finding, and nothing is written.
    """
    findings: list[Finding] = []
    splits: dict[str, list[str]] = {"train": [], "val": []}
    listed: dict[str, Listed] = {}
    categories: dict[int, str] = {}
    for split, name in (("train", train_list), ("val", val_list)):
        path = root / "annotations" / f"instances_{name}.json"
        content = _content(path, split, findings)
        if content is None:
            continue
        its = _categories(path, content, findings)
        if categories and its != categories:
            found = f"categories other than those of {train_list}"
            findings.append(Finding(path, found, "the same ids and names in both", "Export both from one project."))
        categories = categories or its
        splits[split] = _images(path, root / name, content, listed, findings)
    if findings:
        raise DatasetError(findings)
    if limit:
        splits["train"] = sample(splits["train"], limit)
    ids = splits["train"] + splits["val"]
    class_of = {number: cls for cls, number in enumerate(sorted(categories), 1)}

    def examine(image_id: str) -> tuple[Record | None, list[Finding], dict[str, int]]:
        return _examine(image_id, listed[image_id], root, truth, class_of)

    def draw(image_id: str) -> None:
        its = records[image_id]
        if its.truth:
            found = coco_annotations.read(listed[image_id].annotations, its.full_height, its.full_width, class_of)
            write_labels(Path(its.truth), found.labels)
            write_labels(Path(its.instances), found.instances)

    with ThreadPoolExecutor(workers) as pool:
        examined = list(pool.map(examine, ids))
        findings = [finding for _, found, _ in examined for finding in found]
        if findings:
            raise DatasetError(findings)
        records = {r.id: r.reduced(max_side) if max_side else r for r, _, _ in examined if r is not None}
        list(pool.map(draw, ids))
    notes: Counter[str] = sum((Counter(its) for _, _, its in examined), Counter())
    classes = ["background", *(categories[number] for number in sorted(categories))]
    return Index(dataset, root.resolve(), classes, splits, records, dict(notes))


def _content(path: Path, split: str, findings: list[Finding]) -> dict | None:
    if not path.is_file():
        if split == "train":
            there = ", ".join(p.stem.removeprefix("instances_") for p in sorted(path.parent.glob("instances_*.json")))
            findings.append(
                Finding(
                    path, "no such file", f"one of {there or 'none'}", "Set data.train_list to the training images'."
                )
            )
        return None
    try:
        content = artifacts.read_json(path)
    except artifacts.ContractError:
        findings.append(Finding(path, "no JSON", "COCO's instances", "Copy it again from its source."))
        return None
    missing = [key for key in KEYS if not isinstance(content, dict) or not isinstance(content.get(key), list)]
    if missing:
        findings.append(Finding(path, f"no list {', '.join(missing)}", f"lists {', '.join(KEYS)}", "Export it again."))
        return None
    return content


def _categories(path: Path, content: dict, findings: list[Finding]) -> dict[int, str]:
    """Names by id."""
    pairs = [(category.get("id"), category.get("name")) for category in content["categories"]]
    names = ["background", *(name for _, name in pairs)]
    whole = all(type(number) is int and isinstance(name, str) and name for number, name in pairs)
    if not whole or len({number for number, _ in pairs}) < len(pairs) or len(set(names)) < len(names):
        wanted = "a whole number as id and a name, none twice and none 'background'"
        findings.append(Finding(path, f"categories {str(pairs)[:80]}", wanted, "Correct them."))
    elif not 1 <= len(pairs) < UNKNOWN:
        findings.append(Finding(path, f"{len(pairs)} categories", f"1 to {UNKNOWN - 1}", "Merge some of them."))
    return dict(pairs)


def _images(path: Path, folder: Path, content: dict, listed: dict[str, Listed], findings: list[Finding]) -> list[str]:
    """Ids of a list's images, the names of their files; what each is goes into `listed`."""
    of_image: dict[object, list[dict]] = defaultdict(list)
    for annotation in content["annotations"]:
        of_image[annotation.get("image_id")].append(annotation)
    ids = []
    for image in content["images"]:
        file, image_id = image.get("file_name"), Path(str(image.get("file_name"))).stem
        annotations = of_image.pop(image.get("id"), [])
        photo = folder / str(file)
        if not photo.is_file():
            findings.append(
                Finding(path, f"image {file} without a file", str(photo), "Add the photograph or remove the image.")
            )
        elif image_id in listed:
            findings.append(
                Finding(path, f"image {image_id} a second time", "one image of a name", "Remove or rename one of them.")
            )
        else:
            listed[image_id] = Listed(path, photo, (image.get("height"), image.get("width")), annotations)
            ids.append(image_id)
    for number, annotations in of_image.items():
        found = f"annotation {annotations[0].get('id')} of image {number}, which is not in the list"
        findings.append(Finding(path, found, "an image of images", "Add the image or remove its annotations."))
    if not ids and not findings:
        findings.append(Finding(path, "no image", "at least one", "Export it again."))
    return ids


def _examine(
    image_id: str, listed: Listed, root: Path, truth: Path, class_of: dict[int, int]
) -> tuple[Record | None, list[Finding], dict[str, int]]:
    try:
        height, width = read_photo(listed.photo).shape[:2]
    except ImageError as error:
        remedy = "Copy the file again from its source or remove the image."
        return None, [Finding(listed.photo, str(error), "a whole image", remedy)], {}
    if listed.size != (height, width):
        wanted = "{1}x{0} as in {2}".format(*listed.size, listed.json.name)
        remedy = "Take the photographs that were annotated, upright."
        return None, [Finding(listed.photo, f"{width}x{height} pixels", wanted, remedy)], {}
    found = coco_annotations.read(listed.annotations, height, width, class_of)
    if found.problems:
        findings = [
            Finding(listed.json, f"image {image_id}: {what}", wanted, remedy) for what, wanted, remedy in found.problems
        ]
        return None, findings, {}
    photo = str(listed.photo.relative_to(root))
    record = Record(image_id, photo, artifacts.sha256(listed.photo), height, width, height, width)
    record.boxes, record.box_classes = found.boxes, found.classes
    record.tags = sorted(set(found.classes))
    record.kinds = ["box"]
    if found.labels is not None:
        record.truth, record.instances = (
            str((truth / folder / f"{image_id}.png").resolve())
            for folder in ("SegmentationClass", "SegmentationObject")
        )
    return record, [], found.notes
