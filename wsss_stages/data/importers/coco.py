"""A folder in COCO's layout to the index; it is only ever read.

annotations/instances_NAME.json   images, categories, annotations with boxes, and polygons or run-length codes if any
NAME/FILE.jpg                     photographs of the list NAME: train2017, val2017, ...

Other places of both, as tools export them: data.coco_lists, data.coco_photos. Ids of images: data.coco_names. Annotations
that are left out or refused: data.coco_annotations. Truth is drawn from the masks into palette PNGs in a folder of the results.
Classes are the categories in the order of their ids, counted from 1.
"""

from pathlib import Path

from wsss_stages.data.findings import DatasetError, DefectError, Finding
from wsss_stages.data.images import ImageError, read_photo
from wsss_stages.data.importers import coco_annotations
from wsss_stages.data.importers.coco_content import Content, Id, identity, read_content
from wsss_stages.data.importers.coco_lists import CocoList, find_lists
from wsss_stages.data.importers.coco_names import Listed, name_images
from wsss_stages.data.importers.coco_photos import Photographs
from wsss_stages.data.importers.coco_shapes import fit
from wsss_stages.data.importers.validation import Validated, validate_all
from wsss_stages.data.importers.voc_writer import write_labels
from wsss_stages.data.index import Index, Record, sample
from wsss_stages.data.notes import Notes
from wsss_stages.store import artifacts
from wsss_stages.store.prefetch import Prefetch
from wsss_stages.store.progress import progress

UNUSED = "categories without objects, kept as classes"
UNSIZED = "images without width and height, taken from the photograph"
LIMITED = "training images beyond data.limit, left out"
RESIZED = "photographs in another size than annotated, boxes and polygons scaled"


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
    notes = Notes()
    contents: dict[CocoList, Content] = {}
    for source in find_lists(root, train_list, val_list, findings, notes):
        try:
            contents[source] = read_content(source.path, findings, notes)
        except DefectError as error:
            findings.append(error.in_file(source.path))
    categories = _categories(contents, findings, notes)
    photographs = Photographs(root, truth, list(contents), notes)
    images = [image for source in contents for image in _images(source, contents[source], photographs, findings)]
    listed, splits = name_images(images, root, findings, notes)
    photographs.note_unlisted()
    if findings and not categories:
        raise DatasetError(findings)
    if limit:
        chosen = sample(splits["train"], limit)
        notes.add_each(LIMITED, sorted({*splits["train"]}.difference(chosen)))
        splits["train"] = chosen
    class_of: dict[Id, int] = dict.fromkeys((n for content in contents.values() for n in content.background), 0)
    class_of |= {number: cls for cls, number in enumerate(categories, 1)}

    def examine(image_id: str) -> Validated:
        return _examine(image_id, listed[image_id], root, truth, class_of)

    def draw(record: Record) -> None:
        _draw(record, listed[record.id], class_of)

    records = validate_all(splits["train"] + splits["val"], examine, findings, notes, max_side, workers)
    for _ in progress(Prefetch(records.values(), draw, workers), "true masks"):
        pass
    return Index(dataset, root.resolve(), ["background", *categories.values()], splits, records, notes)


def _draw(record: Record, image: Listed, class_of: dict[Id, int]) -> None:
    """Write the true masks of an image, where it has any."""
    if record.truth:
        frame = fit(image.size, record.full_height, record.full_width)
        assert frame, f"{record.id} passed without a size"
        found = coco_annotations.read(image.annotations, frame, class_of)
        assert found.labels is not None, f"{record.id} has no mask"
        write_labels(Path(record.truth), found.labels)
        if record.instances:
            assert found.instances is not None, f"{record.id} has no instances"
            write_labels(Path(record.instances), found.instances)


def _categories(contents: dict[CocoList, Content], findings: list[Finding], notes: Notes) -> dict[Id, str]:
    """Return the names of the classes by id, in the order of the ids; empty if the ids of a list are invalid or
    differ from another list's.
    """
    read = {source: content.categories for source, content in contents.items() if content.categories}
    if not read:
        return {}
    first = next(iter(read))
    for source, categories in read.items():
        if categories != read[first]:
            found = f"categories other than those of {first.name}"
            findings.append(
                Finding(source.path, found, "the same ids and names in both", "Export both from one project.")
            )
    ids = sorted(read[first], key=lambda number: (isinstance(number, str), number))
    used = {number for content in contents.values() for number in content.used}
    notes.add_each(UNUSED, (read[first][number] for number in ids if number not in used))
    return {number: read[first][number] for number in ids} if len(read) == len(contents) else {}


def _images(source: CocoList, content: Content, photographs: Photographs, findings: list[Finding]) -> list[Listed]:
    """Return the images of a list with their photographs."""
    images = []
    for entry in content.images:
        try:
            found = photographs.find(entry.get("file_name"), source)
        except DefectError as error:
            findings.append(error.in_file(source.path))
            continue
        size = entry.get("height"), entry.get("width")
        images.append(Listed(source, found.path, found.folder, size, content.annotations.get(entry["id"], [])))
    if not content.images and not findings:
        findings.append(Finding(source.path, "no image", "at least one", "Export it again."))
    return images


def _examine(image_id: str, listed: Listed, root: Path, truth: Path, class_of: dict[Id, int]) -> Validated:
    json = listed.of.path
    try:
        height, width = read_photo(listed.photo).shape[:2]
    except ImageError as error:
        remedy = "Copy the file again from its source or remove the image."
        return None, [Finding(listed.photo, str(error), "a whole image", remedy)], {}
    frame = fit(listed.size, height, width)
    if frame is None:
        wanted = "{1}x{0} as in {2}".format(*listed.size, json.name)
        remedy = "Take the photographs that were annotated, upright."
        return None, [Finding(listed.photo, f"{width}x{height} pixels", wanted, remedy)], {}
    found = coco_annotations.read(listed.annotations, frame, class_of)
    if found.problems:
        findings = [
            Finding(json, f"image {image_id}: {what}", wanted, remedy) for what, wanted, remedy in found.problems
        ]
        return None, findings, {}
    if any(identity(side) in (None, 0) for side in listed.size):
        found.note(UNSIZED)
    if frame.resized:
        found.note(RESIZED)
    photo = str(listed.photo.relative_to(root))
    record = Record(image_id, photo, artifacts.sha256(listed.photo), height, width, height, width)
    record.boxes, record.box_classes = found.boxes, found.classes
    record.tags = sorted(set(found.classes))
    record.kinds = ["box"]
    if found.labels is not None:
        record.truth = str((truth / "SegmentationClass" / f"{image_id}.png").resolve())
        record.masks_sha256 = artifacts.fingerprint(listed.annotations)
    if found.instances is not None:
        record.instances = str((truth / "SegmentationObject" / f"{image_id}.png").resolve())
    return record, [], found.notes
