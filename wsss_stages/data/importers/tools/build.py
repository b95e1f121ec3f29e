"""An export of an annotation tool to the index: photographs, classes, splits, and of every image the labels that its shapes are.

The export is only ever read. Truth, numbers of objects and scribbles are drawn as PNGs into a folder of the results, and photographs of
a zip are written there, under the images' ids.
"""

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from wsss_stages import UNKNOWN
from wsss_stages.data.findings import DatasetError, DefectError, Finding
from wsss_stages.data.images import ImageError, open_photo
from wsss_stages.data.importers import frames
from wsss_stages.data.importers.spool import Spool
from wsss_stages.data.importers.tools.classes import classes_of
from wsss_stages.data.importers.tools.drawing import Drawn, draw
from wsss_stages.data.importers.tools.photographs import REMEDY, Photographs
from wsss_stages.data.importers.tools.shapes import Export, Item
from wsss_stages.data.importers.tools.source import Source, suffix_of
from wsss_stages.data.importers.tools.splits import named_images, splits_of
from wsss_stages.data.importers.tools.spool import Entry, Items
from wsss_stages.data.importers.validation import Validated, validate_all
from wsss_stages.data.importers.voc_boxes import FITS
from wsss_stages.data.importers.voc_writer import write_labels
from wsss_stages.data.index import Index, Record, sample
from wsss_stages.data.names import id_problem
from wsss_stages.data.notes import Notes
from wsss_stages.store import artifacts
from wsss_stages.store.prefetch import Prefetch
from wsss_stages.store.progress import progress

Reader = Callable[[Source, list[Finding], Notes], Export]
UNNAMED = "photographs that the export does not name, left out"
LIMITED = "training images beyond data.limit, left out"
FROM_PATHS = "images whose id is their path, as several files have one name"
COMPLETED = "images whose tags lack classes of their shapes, completed"
NAMED = 3
"""Photographs that a finding names."""
PHOTOGRAPHS = "JPEGImages"


@dataclass(frozen=True)
class Options:
    """Settings of an import: those of `kinds.Settings` that have a meaning here."""

    train_list: str = "train"
    val_list: str = "val"
    truth_list: str = ""
    limit: int = 0
    max_side: int = 0


def import_tool(dataset: str, root: Path, reader: Reader, truth: Path, opt: Options, workers: int = 4) -> Index:
    """Validate an export, draw its labels into the folder `truth` and return its index.

    Raises: DatasetError with every finding, and nothing is written.
    """
    findings: list[Finding] = []
    notes = Notes()
    if not root.exists():
        raise DatasetError([Finding(root, "no such file or folder", "an export", "Correct dataset_root.")])
    source = Source(root, findings, truth)
    if findings:
        raise DatasetError(findings)
    export = reader(source, findings, notes)
    items = Items(export.items)
    if findings:
        raise DatasetError(findings)
    classes = classes_of(export.classes, items.named, root, findings, notes)
    photos = _photographs(items.entries, source, findings, notes)
    subsets = {key: entry.subset for key, (entry, _) in photos.items()}
    paths = {key: path for key, (_, path) in photos.items()}
    lists = {"train": opt.train_list, "val": opt.val_list}
    splits = splits_of(source, subsets, paths, lists, findings, notes)
    learnable = named_images(source, opt.truth_list, paths, findings)
    if opt.truth_list and learnable is None:
        wanted = f"{opt.truth_list}.txt, a photograph a line"
        findings.append(Finding(root, "no list of data.truth_list", wanted, "Add it, or correct the option."))
    if not splits["train"] and not findings:
        findings.append(Finding(root, "no training image", "at least one image with labels", "Label some images."))
    if findings:
        raise DatasetError(findings)
    if opt.limit:
        chosen = sample(splits["train"], opt.limit)
        notes.add_each(LIMITED, sorted({*splits["train"]}.difference(chosen)))
        splits["train"] = chosen
    home = truth / PHOTOGRAPHS if source.zipped else root
    builder = Builder(source, items, photos, classes, home, truth, set(learnable or ()))
    records = validate_all(splits["train"] + splits["val"], builder.examine, findings, notes, opt.max_side, workers)
    drawn = Spool()
    for _, record in progress(Prefetch(records.values(), builder.draw, workers), "labels"):
        drawn.add(record)
    names = [name for name, number in classes.items() if number]
    return Index(dataset, home.resolve(), ["background", *names], splits, drawn, notes)


def _photographs(
    entries: list[Entry], source: Source, findings: list[Finding], notes: Notes
) -> dict[str, tuple[Entry, str]]:
    """Return the images of the export with their photographs, by id; an image without a photograph is a finding."""
    photographs = Photographs(source, notes)
    found: dict[str, Entry] = {}
    missing: list[Entry] = []
    for entry in entries:
        try:
            path = photographs.find(entry)
        except DefectError as error:
            findings.append(error.in_file(entry.where))
            continue
        if path is None:
            missing.append(entry)
        elif path in found:
            wanted, remedy = "every photograph once", "Remove one of them from the export."
            findings.append(Finding(entry.where, f"image {entry.name} a second time", wanted, remedy))
        else:
            found[path] = entry
    unnamed = [name for name in source.photographs if name not in found]
    wanted = f"a file of that name below {source.root}"
    if unnamed:
        wanted += f", where no image has {', '.join(unnamed[:NAMED])}{', …' * (len(unnamed) > NAMED)}"
    if missing and not found:
        what = f"an export without its images: none of {len(missing)}, as {missing[0].name!r}"
        findings.append(Finding(source.root, what, wanted, "Put the photographs beside it, under these names."))
    else:
        findings += [
            Finding(entry.where, f"image {entry.name!r} without a photograph", wanted, REMEDY) for entry in missing
        ]
    notes.add_each(UNNAMED, unnamed)
    return _by_id(found, source, findings, notes)


def _by_id(
    found: dict[str, Entry], source: Source, findings: list[Finding], notes: Notes
) -> dict[str, tuple[Entry, str]]:
    """Return images by id: the photograph's name without suffix, or its path where several have one name."""
    stems = Counter(_id(PurePosixPath(path).stem) for path in found)
    named: dict[str, tuple[Entry, str]] = {}
    for path, entry in found.items():
        plain = PurePosixPath(path)
        key = _id(plain.stem)
        if stems[key] > 1:
            key = _id("_".join(plain.with_suffix("").parts))
            notes.add(FROM_PATHS, 1, key)
        if problem := id_problem(key):
            wanted = "another name"
            findings.append(Finding(source.path(path), f"id {key[:80]!a} with {problem}", wanted, "Rename it."))
        elif key in named:
            findings.append(
                Finding(source.path(path), f"the id {key} a second time", "one image of an id", "Rename it.")
            )
        else:
            named[key] = entry, path
    return named


def _id(name: str) -> str:
    return unicodedata.normalize("NFC", name)


@dataclass
class Builder:
    """Facts about an export that are known before its images are examined one by one."""

    source: Source
    items: Items
    photos: dict[str, tuple[Entry, str]]
    classes: dict[str, int]
    home: Path
    """Folder that the records' photographs are relative to."""
    truth: Path
    learnable: set[str]

    def __post_init__(self) -> None:
        self.masked = bool(self.items.kinds & {"polygon", "mask"})

    def examine(self, image_id: str) -> Validated:
        """Return an image's record, its findings and its notes."""
        entry, path = self.photos[image_id]
        where = self.source.path(path)
        try:
            with self.source.photograph(path) as photo:
                opened = open_photo(photo)
                sha256 = artifacts.sha256(photo)
        except DefectError as error:
            return None, [error.in_file(where)], {}
        except ImageError as error:
            remedy = "Copy the file again from its source, or remove the image from the export."
            return None, [Finding(where, str(error), "a whole image", remedy)], {}
        height, width = opened.pixels.shape[:2]
        frame = frames.frame(height, width, opened.orientation, entry.size)
        if frame is None and entry.size:
            found, wanted = f"{width}x{height} pixels", f"{entry.size[1]}x{entry.size[0]} as annotated, or its shape"
            return None, [Finding(where, found, wanted, "Take the photographs that were annotated.")], {}
        item = self.items.read(entry)
        made = draw(item, frame or frames.Frame(height, width), self.classes, self.masked)
        for text in opened.notes:
            made.notes[text] = made.notes.get(text, 0) + 1
        if frame and frame.fit in FITS:
            made.notes[FITS[frame.fit]] = 1
        record = Record(image_id, self._photo(image_id, path), sha256, height, width, height, width)
        findings = [defect.in_file(entry.where) for defect in made.defects]
        self._fill(record, item, made, findings)
        return record, findings, made.notes

    def draw(self, record: Record) -> Record:
        """Write an image's PNGs, and its photograph if it is in a zip; return the record with their checksums."""
        entry, path = self.photos[record.id]
        if not self.source.on_disk(path):
            with artifacts.whole(self.home / record.photo) as partial:
                self.source.copy(path, partial)
        height, width = record.full_height, record.full_width
        frame = frames.frame(height, width, self._orientation(record), entry.size) or frames.Frame(height, width)
        made = draw(self.items.read(entry), frame, self.classes, self.masked)
        for file, labels in ((record.truth, made.truth), (record.instances, made.numbers)):
            if file and labels is not None:
                write_labels(Path(file), labels)
        if record.truth and record.truth_sha256:
            record = replace(record, truth_sha256=artifacts.sha256(Path(record.truth)))
        if record.scribbles:
            write_labels(Path(record.scribbles), made.scribbles(height, width))
            record = replace(record, scribbles_sha256=artifacts.sha256(Path(record.scribbles)))
        return record

    def _orientation(self, record: Record) -> int:
        return open_photo(self.home / record.photo).orientation

    def _photo(self, image_id: str, path: str) -> str:
        """Return the photograph's path below the index's root; one of a zip beside a folder has its whole path."""
        if self.source.on_disk(path):
            return path
        name = f"{image_id}{suffix_of(path)}"
        return name if self.source.zipped else str((self.truth / PHOTOGRAPHS / name).resolve())

    def _fill(self, record: Record, item: Item, made: Drawn, findings: list[Finding]) -> None:
        """Fill in an image's labels, and which of them there are."""
        record.boxes, record.box_classes = [t.box for t in made.things], [t.cls for t in made.things]
        record.points = made.points
        if made.lines:
            scribbles = made.scribbles(record.full_height, record.full_width)
            record.scribbles = self._drawn("Scribbles", record.id)
            record.scribble_classes = sorted({cls for cls, _ in made.lines} & set(scribbles.ravel().tolist()))
            findings += [
                Finding(
                    item.where,
                    f"image {item.name}: the point at {x}, {y} on a scribble of another class",
                    "labels that agree",
                    "Remove one of them.",
                )
                for x, y, cls in made.points
                if scribbles[y, x] not in (cls, UNKNOWN)
            ]
        shown = {*record.box_classes, *record.scribble_classes, *(cls for _, _, cls in made.points)} - {0}
        if made.tagged and shown - made.tags:
            made.notes[COMPLETED] = 1
        record.tags = sorted(shown | made.tags)
        record.kinds = self._kinds(item, made)
        if made.truth is not None:
            record.truth = self._drawn("SegmentationClass", record.id)
            layers = [layer for layer in (made.truth, made.numbers) if layer is not None]
            record.masks_sha256 = artifacts.fingerprint(
                [hashlib.sha256(layer.tobytes()).hexdigest() for layer in layers]
            )
        if made.numbers is not None:
            record.instances = self._drawn("SegmentationObject", record.id)
        if record.id in self.learnable:
            if record.truth:
                record.kinds.append("truth")
                record.truth_sha256 = record.masks_sha256
            else:
                wanted, remedy = "a mask of every object", "Draw them, or take it off data.truth_list."
                findings.append(Finding(item.where, f"image {item.name} without truth to learn from", wanted, remedy))

    def _kinds(self, item: Item, made: Drawn) -> list[str]:
        """Return the kinds of labels of an image; one without a shape shows that there is none of any kind in use."""
        if not item.shapes:
            used = self.items.kinds
            given = {"box": used & {"box", "polygon", "mask"}, "point": used & {"point"}, "tag": used & {"tag"}}
        else:
            given = {
                "box": made.things or made.ground,
                "scribble": made.lines,
                "point": made.points,
                "tag": made.tagged,
            }
        return [kind for kind, labels in given.items() if labels]

    def _drawn(self, folder: str, image_id: str) -> str:
        return str((self.truth / folder / f"{image_id}.png").resolve())
