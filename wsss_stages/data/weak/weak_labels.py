"""The weak labels of a folder, of every kind that an image has, and whether they agree with one another.

Annotations/ID.xml (boxes)   Scribbles/ID.png (classes, 255 elsewhere) or ID.xml (ScribbleSup)   points.json, background_points.json
({id: [{x, y, cls}]}, pixels counted from 0, cls 0 background)   tags.csv (id,class) or cls_labels.npy

Published labels keep their names: ScribbleSup's folder pascal_2012 or pascal_context instead of Scribbles, and the files of What's the Point (POINTS). In
those a few clicks lie outside their photograph, and a few photographs have none (12 and 17 of train_aug's 10,582): such clicks are left out.
"""

from pathlib import Path
from typing import Any

import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.data.documents import is_number, read_json
from wsss_stages.data.findings import DefectError, Finding
from wsss_stages.data.images import ImageError, label_size, read_labels
from wsss_stages.data.importers.photographs import forms, image_id, unused
from wsss_stages.data.importers.voc_boxes import read_boxes
from wsss_stages.data.index import Record
from wsss_stages.data.names import has_file
from wsss_stages.data.notes import Notes, count
from wsss_stages.data.weak.npy_tags import read_npy
from wsss_stages.data.weak.polylines import drawn, read_polylines
from wsss_stages.data.weak.tags import read_csv
from wsss_stages.store import artifacts

POINTS = (
    ("points.json", "pascal2012_trainval_main.json", "voc_whats_the_point.json"),
    ("background_points.json", "voc_whats_the_point_bg_from_scribbles.json"),
)
"""Names of the file of clicks and of that of clicks on the background: ours, of What's the Point (Bearman et al. 2016), of GatedCRF's repository."""
OURS = {names[0] for names in POINTS}
OUTSIDE = "published clicks outside their photograph, left out"


class WeakLabels:
    """The weak labels of a folder; `add` gives an image its labels."""

    def __init__(
        self, root: Path, dataset: Path, classes: list[str], findings: list[Finding], scribbles: str = "Scribbles"
    ):
        """
        Args:
            dataset: folder of the photographs, to which paths in records are relative where they can be.
            scribbles: folder of the scribbles where there is no folder Scribbles.
        """
        self.root, self.dataset, self.classes = root, dataset, classes
        self.scribbles = "Scribbles" if (root / "Scribbles").is_dir() else scribbles
        self.points: dict[str, list[tuple[Path, dict]]] = {}
        self.published: set[str] = set()
        """Images that a published file of clicks lists."""
        for names in POINTS:
            paths = [root / name for name in names if self._there(root / name, findings)]
            if len(paths) > 1:
                findings.append(
                    Finding(paths[1], f"{paths[0].name} beside it", "one file of points", "Remove one of them.")
                )
            for path in paths[:1]:
                read = _read_points(path, findings)
                self.published |= {image_id(key) for key in read} if path.name not in OURS else set()
                for key, points in read.items():
                    self.points.setdefault(image_id(key), []).extend((path, point) for point in points)
        csv, npy = root / "tags.csv", root / "cls_labels.npy"
        has_csv, has_npy = (self._there(path, findings) for path in (csv, npy))
        if has_csv and has_npy:
            findings.append(Finding(npy, "tags.csv beside it", "one file of tags", "Remove one of them."))
        self.tags = read_csv(csv, classes, findings) if has_csv else None
        self.npy_tags = read_npy(npy, classes, findings) if has_npy else None

    def add(self, record: Record, orientation: int, findings: list[Finding], notes: dict[str, int]) -> None:
        """Fill in the record's boxes, scribbles, points and tags, and which of them there are.

        Args:
            orientation: EXIF's of the photograph, 1 to 8.
        """
        xml = self._file("Annotations", record.id, ".xml", findings)
        if xml:
            read = read_boxes(xml, record.height, record.width, orientation, self.classes, findings, notes)
            record.boxes, record.box_classes = read.boxes, read.classes
        scribbles = self._scribbles(record, findings, notes)
        if scribbles is not None:
            record.scribble_classes = sorted(set(np.unique(scribbles).tolist()) - {UNKNOWN})
        record.points = self._points(record, findings, notes)
        if scribbles is not None:
            findings += self._crossing(record, scribbles)
        shown = ({*record.box_classes, *record.scribble_classes} | {cls for _, _, cls in record.points}) - {0}
        tags = self._tags(record.id)
        if tags is not None and shown - set(tags):
            findings.append(
                Finding(
                    self.root,
                    f"image {record.id} shows {self._names(shown - set(tags))}, which its tags do not",
                    "labels that agree",
                    "Add the tag, or remove the box, scribble or point.",
                )
            )
        record.tags = sorted(shown | set(tags or ()))
        given = (xml is not None, record.scribbles is not None, bool(record.points), tags is not None)
        record.kinds = [
            kind for kind, is_there in zip(("box", "scribble", "point", "tag"), given, strict=True) if is_there
        ]

    def without_click(self, record: Record) -> bool:
        """Return whether an image has nothing but published clicks, and none of them is on an object."""
        alone = record.id in self.published and set(record.kinds) <= {"point"}
        return alone and not any(cls for _, _, cls in record.points)

    def unused(self, photos: dict[str, str], notes: Notes) -> None:
        """Note the labels that belong to no photograph, by id and file."""
        unused(self.root / "Annotations", (".xml",), photos, "annotations", notes)
        unused(self.root / self.scribbles, (".png", ".xml"), photos, "scribbles", notes)
        notes.add_each("points of no photograph, left out", (n for n in self.points if n not in photos))
        notes.add_each("tags of no photograph, left out", (n for n in self.tags or () if n not in photos))
        if self.npy_tags is not None:
            plain = {name.replace("_", "") for name in photos}
            notes.add_each("tags of no photograph, left out", (n for n in self.npy_tags if n not in plain))

    def _file(self, folder: str, record_id: str, suffix: str, findings: list[Finding]) -> Path | None:
        """Return an image's file in a folder; None without."""
        paths = (self.root / folder / name for name in forms(f"{record_id}{suffix}"))
        return next((path for path in paths if self._there(path, findings)), None)

    def _there(self, path: Path, findings: list[Finding]) -> bool:
        try:
            return has_file(path, self.root, "or point data.weak_labels")
        except DefectError as error:
            findings.append(error.in_file(path))
            return False

    def _names(self, classes: set[int]) -> str:
        return ", ".join(self.classes[c] for c in sorted(classes))

    def _tags(self, image_id: str) -> list[int] | None:
        if self.tags is not None:
            return self.tags.get(image_id)
        if self.npy_tags is not None:
            return self.npy_tags.get(image_id.replace("_", ""))
        return None

    def _scribbles(self, record: Record, findings: list[Finding], notes: dict[str, int]) -> np.ndarray | None:
        """Return (h, w) classes of an image's scribbles, and note their path; None without usable scribbles."""
        png, xml = (self._file(self.scribbles, record.id, suffix, findings) for suffix in (".png", ".xml"))
        if png and xml:
            findings.append(Finding(xml, f"{png.name} beside it", "one file of scribbles", "Remove one of them."))
        path = png or xml
        if path is None:
            return None
        size = record.height, record.width
        if path.suffix == ".xml":
            before = len(findings)
            labels = drawn(read_polylines(path, *size, self.classes, findings, notes), *size)
            if len(findings) > before:
                return None
        else:
            try:
                labels = read_mask(path, record, set(range(len(self.classes))) | {UNKNOWN})
            except DefectError as error:
                findings.append(error.in_file(path))
                return None
        inside = path.is_relative_to(self.dataset)
        record.scribbles = str(path.relative_to(self.dataset) if inside else path.resolve())
        record.scribbles_sha256 = artifacts.sha256(path)
        return labels

    def _points(self, record: Record, findings: list[Finding], notes: dict[str, int]) -> list[list[int]]:
        found = []
        for path, point in self.points.get(record.id, []):
            try:
                numbers: list[Any] = [point[name] for name in ("x", "y", "cls")]
            except (KeyError, TypeError):
                numbers = [None, None, None]
            x, y, cls = numbers
            legal = all(map(is_number, (x, y, cls))) and cls in range(len(self.classes))
            inside = legal and 0 <= x < record.width and 0 <= y < record.height
            if legal and not inside and path.name not in OURS:
                count(notes, OUTSIDE)
                continue
            if not inside:
                findings.append(
                    Finding(
                        path,
                        f"point {point} of {record.id}",
                        f"0 <= x < {record.width}, 0 <= y < {record.height}, class 0..{len(self.classes) - 1}",
                        "Correct or remove the point.",
                    )
                )
                continue
            found.append([int(x), int(y), int(cls)])
        return found

    def _crossing(self, record: Record, scribbles: np.ndarray) -> list[Finding]:
        """Return the points that lie on a scribble of another class."""
        return [
            Finding(
                self.root,
                f"image {record.id}: the point of {self.classes[cls]} at {x}, {y} lies on a scribble of "
                f"{self.classes[scribbles[y, x]]}",
                "labels that agree",
                "Remove one of them.",
            )
            for x, y, cls in record.points
            if scribbles[y, x] not in (cls, UNKNOWN)
        ]


def read_mask(path: Path, record: Record, ids: set[int] | None) -> np.ndarray:
    """Return (h, w) uint8 labels of a photograph, decoded only if its header has the photograph's size.

    Raises: DefectError for another size, for files that are no palette or grey PNG, and for values other than `ids`.
    """
    try:
        height, width = label_size(path)
        if (height, width) != (record.height, record.width):
            raise DefectError(
                f"{width}x{height} pixels",
                f"{record.width}x{record.height} like the image",
                "Resize with nearest neighbour, or export it again.",
            )
        labels = read_labels(path)
    except ImageError as error:
        raise DefectError(
            str(error), "a palette or grey PNG of class indices", "Convert colours to indices."
        ) from error
    strange = sorted(set(np.unique(labels).tolist()) - ids) if ids is not None else []
    if strange:
        raise DefectError(
            f"values {strange[:5]}",
            f"0..{len(ids or ()) - 2} or {UNKNOWN}",
            "Check classes.txt, or the tool that wrote the mask.",
        )
    return labels


def _read_points(path: Path, findings: list[Finding]) -> dict[str, list]:
    """Return points by id; each is checked when its image is read."""
    try:
        content = read_json(path)
    except DefectError as error:
        findings.append(error.in_file(path))
        return {}
    if not isinstance(content, dict) or not all(isinstance(points, list) for points in content.values()):
        findings.append(Finding(path, "no lists of points by id", "{id: [{x, y, cls}]}", "Export it again."))
        return {}
    return content
