"""A folder in PASCAL VOC layout to the index; it is only ever read.

JPEGImages/ID.jpg, or another format of data.images   classes.txt (optional; data.class_names)
SegmentationClass/ID.png, SegmentationObject/ID.png (optional truth; data.masks)
ImageSets/Segmentation/NAME.txt (optional; data.lists. Without lists every image is for training)
Weak labels: see data.weak_labels; saliency maps: data.saliency.
"""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

from wsss_stages import UNKNOWN
from wsss_stages.data.findings import DatasetError, DefectError, Finding
from wsss_stages.data.images import ImageError, open_photo
from wsss_stages.data.importers.class_names import read_classes
from wsss_stages.data.importers.lists import Lists
from wsss_stages.data.importers.masks import Masks, only_white
from wsss_stages.data.importers.photographs import photographs, unused
from wsss_stages.data.importers.validation import Validated, redrawn, validate_all
from wsss_stages.data.index import Index, Record, sample
from wsss_stages.data.names import has_file, id_problem
from wsss_stages.data.notes import Notes
from wsss_stages.data.weak.saliency import add_saliency
from wsss_stages.data.weak.weak_labels import WeakLabels
from wsss_stages.store import artifacts

VOC_CLASSES = (
    "background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person "
    "pottedplant sheep sofa train tvmonitor"
).split()
UNCLICKED = "training images without a published click on an object, left out"


@dataclass(frozen=True)
class Layout:
    """Names of the parts of a folder, and its classes where there is no classes.txt."""

    classes: tuple[str, ...]
    lists: str
    """Below ImageSets."""
    truth: str
    instances: str
    scribbles: str
    """ScribbleSup's folder of them."""
    weak: str = ""
    """Folder of the weak labels, where they are not in one of their own."""


VOC = Layout(tuple(VOC_CLASSES), "Segmentation", "SegmentationClass", "SegmentationObject", "pascal_2012")


@runtime_checkable
class Beside(Protocol):
    """Masks and lists that lie elsewhere than in a folder in VOC layout."""

    def masks(self, classes: Masks, objects: Masks) -> tuple[Masks, Masks]:
        """Return masks that also read those that lie elsewhere."""
        ...

    def lists(self, folder: Path, findings: list[Finding]) -> dict[str, list[str]]:
        """Return further lists by name; `folder` has the published ones."""
        ...


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
    truth: Path | None = None,
    workers: int = 4,
    beside: Beside | None = None,
) -> Index:
    """Validate the folder and return its index.

    Args:
        train_list, val_list: names of lists in ImageSets/Segmentation; a missing val list gives an empty split.
        limit: use only so many training images, chosen by a hash of their ids; 0 uses all.
        max_side: longer side of the working size of larger photographs, pixels; 0 keeps all at full size.
        truth_list: list of training images whose true masks may be learned from; empty: none.
        weak_root: folder of the weak labels where it is another one.
        saliency: folder of saliency maps, one for every training image; None: there are none.
        truth: folder to draw masks into that do not lie as indices of classes; wanted only where there are such.
        beside: masks and lists that the folder lacks; None: there are none.

    Raises: DatasetError with every finding.
    """
    if not (root / "JPEGImages").is_dir():
        raise DatasetError(
            [
                Finding(
                    root,
                    "no folder JPEGImages",
                    "a folder in PASCAL VOC layout",
                    "See docs/datasets.md.",
                )
            ]
        )
    findings: list[Finding] = []
    notes = Notes()
    if weak_root and not weak_root.is_dir():
        findings.append(Finding(weak_root, "no such folder", "a folder of weak labels", "Correct data.weak_labels."))
    if saliency and not saliency.is_dir():
        findings.append(Finding(saliency, "no such folder", "a folder of saliency maps", "Correct data.saliency."))
        saliency = None
    classes, colours = read_classes(root, layout.classes, findings)
    photos, unread = photographs(root / "JPEGImages", findings, notes)
    made = beside.lists(root / "ImageSets" / layout.lists, findings) if beside else {}
    lists = Lists(root, layout.lists, photos, unread, findings, notes, made)
    splits = lists.splits(train_list, val_list)
    learnable = set(lists.ids(truth_list, "truth_list") or ()) if truth_list else set()
    if limit:
        notes.add("training images beyond data.limit, left out", max(0, len(splits["train"]) - limit))
        splits["train"] = sample(splits["train"], limit)
    labels = WeakLabels(weak_root or root / layout.weak, root, classes, findings, layout.scribbles)
    labels.unused(photos, notes)
    ids = [*splits["train"], *splits["val"]]
    masks = Masks(root / layout.truth, root, len(classes), colours)
    objects = Masks(root / layout.instances, root, UNKNOWN)
    if beside:
        masks, objects = beside.masks(masks, objects)
    masks.white = only_white(masks, ids)
    for mask in (masks, objects):
        unused(mask.folder, (".png",), photos, f"masks in {mask.folder.name}", notes)
    folder = Folder(root, photos, labels, masks, objects, set(splits["train"]), learnable, saliency)
    records = validate_all(ids, folder.examine, findings, notes, max_side, workers)
    splits = {split: [name for name in names if name in records] for split, names in splits.items()}
    if without := folder.without_objects():
        raise DatasetError(without)
    if masks.translated or objects.translated:
        records = redrawn(records, partial(folder.draw, truth=truth), workers)
    return Index(dataset, root.resolve(), classes, splits, records, notes)


@dataclass
class Folder:
    """Facts about a folder in VOC layout that are known before its images are examined one by one."""

    root: Path
    photos: dict[str, str]
    labels: WeakLabels
    masks: Masks
    objects: Masks
    trained: set[str]
    learnable: set[str]
    """Images whose true masks may be learned from, where they are in training."""
    saliency: Path | None
    held: dict[str, set[int]] = field(default_factory=lambda: {"train": set(), "val": set()})
    """The classes in the true masks of a split; empty without masks."""
    shown: dict[str, set[int]] = field(default_factory=lambda: {"train": set(), "val": set()})
    """Classes that the weak labels of the masked images of a split show."""

    def examine(self, image_id: str) -> Validated:
        """Return an image's record, its findings and its notes."""
        photo = self.root / "JPEGImages" / self.photos[image_id]
        if problem := id_problem(image_id):
            wanted = "the name of a photograph in JPEGImages"
            return None, [Finding(photo, f"id {image_id[:80]!a} with {problem}", wanted, "Rename the image.")], {}
        try:
            has_file(photo, self.root)
            opened = open_photo(photo)
        except DefectError as error:
            return None, [error.in_file(photo)], {}
        except ImageError as error:
            remedy = "Copy the file again from its source or remove the id."
            return None, [Finding(photo, str(error), "a whole image", remedy)], {}
        height, width = opened.pixels.shape[:2]
        path = str(photo.relative_to(self.root))
        record = Record(image_id, path, artifacts.sha256(photo), height, width, height, width)
        findings: list[Finding] = []
        notes = dict.fromkeys(opened.notes, 1)
        self.labels.add(record, opened.orientation, findings, notes)
        if image_id in self.trained and self.labels.without_click(record):
            return None, findings, {**notes, UNCLICKED: 1}
        split = "train" if image_id in self.trained else "val"
        record.truth, held = self._mask(self.masks, record, findings, notes)
        record.instances, _ = self._mask(self.objects, record, findings, notes)
        if sources := [artifacts.sha256(self.root / mask) for mask in (record.truth, record.instances) if mask]:
            record.masks_sha256 = artifacts.fingerprint([sources, self.masks.meaning])
        self.held[split] |= held
        self.shown[split] |= set(record.tags) if held else set()
        if self.saliency and image_id in self.trained:
            add_saliency(record, self.saliency, self.root, findings)
        if image_id in self.learnable and image_id in self.trained:
            findings += self._learn_truth(record, held)
        return record, findings, notes

    def draw(self, record: Record, truth: Path | None) -> Record:
        """Return the record with masks of indices: those that do not lie so are drawn below `truth`."""
        for masks, key in ((self.masks, "truth"), (self.objects, "instances")):
            if record.id not in masks.translated:
                continue
            if truth is None:
                raise ValueError(f"{masks.folder}: its masks are redrawn, which needs a folder `truth`")
            target = (truth / masks.folder.name / f"{record.id}.png").resolve()
            masks.draw(record, target)
            record = replace(record, **{key: str(target)})
        if record.truth and record.truth_sha256:
            record = replace(record, truth_sha256=artifacts.sha256(self.root / record.truth))
        return record

    def without_objects(self) -> list[Finding]:
        """Return a finding for every split whose true masks hold no object at all, though its images show some."""
        wanted = "a pixel of a class in one of them"
        remedy = "Correct the masks or classes.txt, or remove the masks: scores against them would be meaningless."
        return [
            Finding(self.masks.folder, f"only the values {sorted(held)} in all masks of {split}", wanted, remedy)
            for split, held in self.held.items()
            if held and held <= {0, UNKNOWN} and (UNKNOWN in held or self.shown[split])
        ]

    def _mask(
        self, masks: Masks, record: Record, findings: list[Finding], notes: dict[str, int]
    ) -> tuple[str | None, set[int]]:
        """Return the relative path of an optional mask, checked for size and values, and its values."""
        try:
            found, held = masks.examine(record, notes)
        except DefectError as error:
            findings.append(error.in_file(masks.named(record.id)))
            return None, set()
        return found and str(found.relative_to(self.root) if found.is_relative_to(self.root) else found.resolve()), held

    def _learn_truth(self, record: Record, held: set[int]) -> list[Finding]:
        """Add an image's true classes to its tags; without a mask that is a finding."""
        photo = self.root / record.photo
        if not record.truth:
            wanted = f"{self.masks.folder.name}/{record.id}.png"
            return [Finding(photo, "no true mask to learn from", wanted, "Add it, or correct data.truth_list.")]
        record.kinds.append("truth")
        record.truth_sha256 = artifacts.sha256(self.root / record.truth)
        record.tags = sorted({*record.tags, *held} - {0, UNKNOWN})
        return []
