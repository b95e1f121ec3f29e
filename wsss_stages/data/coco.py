"""A folder in COCO's layout to the index; it is only ever read.

annotations/instances_NAME.json   images, categories, annotations with boxes, and polygons or run-length codes if any
NAME/FILE.jpg                     photographs of the list NAME: train2017, val2017, ...

Truth is drawn from the masks into palette PNGs in a folder of the results. What is left out or refused: data.coco_annotations.
Classes are the categories in the order of their ids, counted from 1.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from wsss_stages import UNKNOWN, artifacts
from wsss_stages.ahead import Ahead
from wsss_stages.data import coco_annotations
from wsss_stages.data.documents import read_json
from wsss_stages.data.examine import Examined, examine_all
from wsss_stages.data.findings import DatasetError, DefectError, Finding
from wsss_stages.data.images import ImageError, read_photo
from wsss_stages.data.index import Index, Record, sample
from wsss_stages.data.names import below, class_problem, there
from wsss_stages.data.voc_writer import write_labels
from wsss_stages.progress import progress

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
        try:
            folder = below(root, name)
            content = _content(path, split, root, findings)
        except DefectError as error:
            findings.append(error.at(path))
            continue
        if content is None:
            continue
        its = _categories(path, content, findings)
        if categories and its and its != categories:
            found = f"categories other than those of {train_list}"
            findings.append(Finding(path, found, "the same ids and names in both", "Export both from one project."))
        categories = categories or its
        splits[split] = _images(path, folder, root, content, listed, findings)
    if findings:
        raise DatasetError(findings)
    if limit:
        splits["train"] = sample(splits["train"], limit)
    ids = splits["train"] + splits["val"]
    class_of = {number: cls for cls, number in enumerate(sorted(categories), 1)}

    def examine(image_id: str) -> Examined:
        return _examine(image_id, listed[image_id], root, truth, class_of)

    def draw(record: Record) -> None:
        if record.truth:
            annotations = listed[record.id].annotations
            found = coco_annotations.read(annotations, record.full_height, record.full_width, class_of)
            write_labels(Path(record.truth), found.labels)
            write_labels(Path(record.instances), found.instances)

    records, notes = examine_all(ids, examine, findings, max_side, workers)
    for _ in progress(Ahead(records.values(), draw, workers), "true masks"):
        pass
    classes = ["background", *(categories[number] for number in sorted(categories))]
    return Index(dataset, root.resolve(), classes, splits, records, notes)


def _content(path: Path, split: str, root: Path, findings: list[Finding]) -> dict | None:
    """What a list holds, three lists of objects. Raises DefectError."""
    if not there(path, root):
        if split == "train":
            lists = ", ".join(p.stem.removeprefix("instances_") for p in sorted(path.parent.glob("instances_*.json")))
            findings.append(
                Finding(
                    path, "no such file", f"one of {lists or 'none'}", "Set data.train_list to the training images'."
                )
            )
        return None
    content = read_json(path)
    missing = [key for key in KEYS if not isinstance(content, dict) or not isinstance(content.get(key), list)]
    if missing:
        raise DefectError(f"no list {', '.join(missing)}", f"lists {', '.join(KEYS)}", "Export it again.")
    for key in KEYS:
        strange = [entry for entry in content[key] if not isinstance(entry, dict)]
        if strange:
            raise DefectError(f"{str(strange[0])[:40]!r} in {key}", "objects {...}", "Export it again.")
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
    else:
        for _, name in pairs:
            if problem := class_problem(name):
                wanted = "names of letters, digits, marks and blanks"
                findings.append(Finding(path, f"category {name[:40]!a} with {problem}", wanted, "Rename it."))
        return dict(pairs)
    return {}


def _images(
    path: Path, folder: Path, root: Path, content: dict, listed: dict[str, Listed], findings: list[Finding]
) -> list[str]:
    """Ids of a list's images, the names of their files; what each is goes into `listed`."""
    of_image: dict[object, list[dict]] = defaultdict(list)
    numbers = [(entry.get("id"), "image") for entry in content["images"]]
    numbers += [(entry.get("image_id"), "annotation of image") for entry in content["annotations"]]
    strange = [f"{what} {number!r}" for number, what in numbers if type(number) not in (int, str)]
    if not strange:
        counts = Counter(entry["id"] for entry in content["images"])
        strange = [f"image id {number!r} {count} times" for number, count in counts.items() if count > 1]
    if strange:
        wanted = "a whole number or a text as id of every image, none twice"
        findings += [Finding(path, found, wanted, "Correct the ids.") for found in strange]
        return []
    for annotation in content["annotations"]:
        of_image[annotation["image_id"]].append(annotation)
    ids = []
    for image in content["images"]:
        file, annotations = image.get("file_name"), of_image.pop(image["id"], [])
        try:
            photo = below(folder, file)
            image_id = below(folder, photo.stem).name
            is_there = there(photo, root)
        except DefectError as error:
            findings.append(error.at(path))
            continue
        if not is_there:
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


def _examine(image_id: str, listed: Listed, root: Path, truth: Path, class_of: dict[int, int]) -> Examined:
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
        record.masks_sha256 = artifacts.fingerprint(listed.annotations)
    return record, [], found.notes
