"""The masks or boxes of a run, image by image, as they are exported."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.data import rle
from wsss_stages.data.exporters.pictures import Picture, Thing
from wsss_stages.data.images import read_labels
from wsss_stages.data.index import Index, Record
from wsss_stages.data.notes import Notes
from wsss_stages.data.patches import Patch
from wsss_stages.data.weak.simulate import objects
from wsss_stages.roads.instance_masks import WHOLE, masks_in_boxes
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import contracts

What = Literal["pseudo", "prediction", "truth", "boxes"]
STAGES = {
    "pseudo": (("s6_propagate", contracts.PSEUDO, "train"), ("rrm_label", contracts.RRM_LABEL, "train")),
    "prediction": (("s8_predict", contracts.PREDICTION, "val"),),
}
"""Stages that make label maps to export, the first that has run counts; the artifact and the split."""
SURE = 0.5
"""Least score of a detected object that is exported."""
UNSURE = f"detections with a score under {SURE}, left out"
WITHOUT = "images without labels to export, left out"


@dataclass
class Run:
    """A folder of results: its index, and the manifests of a stage if the export wants one."""

    index: Index
    records: list[tuple[str, Record]]
    """Splits and records."""
    contract: contracts.Contract | None = None
    manifest: Manifest | None = None
    confidence: bool = False
    detections: Manifest | None = None
    notes: Notes = field(default_factory=Notes)

    @classmethod
    def open(cls, results: Path, what: What, objects: bool) -> "Run":
        """Open the results of a variant. Raises ValueError where the index or the stage is missing."""
        places = (results / "index.json", results.parent / "index.json", results.parent.parent / "index.json")
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise ValueError(
                f"{results}: found no index.json in it or above it; wanted the results of a variant, results/DATASET/WEAK/VARIANT"
            )
        index = Index.read(path)
        if what in ("truth", "boxes"):
            has = (lambda record: record.truth) if what == "truth" else (lambda record: record.kinds.count("box"))
            run = cls(
                index, [(split, record) for split in index.splits for record in index.split(split) if has(record)]
            )
            total = sum(len(ids) for ids in index.splits.values())
            run.notes.add(WITHOUT, total - len(run.records))
            return run
        return cls._of_stage(results, index, what, objects)

    @classmethod
    def _of_stage(cls, results: Path, index: Index, what: What, objects: bool) -> "Run":
        for stage, contract, split in STAGES[what]:
            shards = sorted((results / stage / split).glob("*-of-*[0-9].json"))
            if shards:
                made = Manifest(shards, [contract, contracts.CONFIDENCE])
                done = set(made.items)
                records = [(split, record) for record in index.split(split) if record.id in done]
                found = sorted((results / "s8_detect" / split).glob("*-of-*[0-9].json")) if objects else []
                detections = Manifest(found, [contracts.DETECTIONS]) if found and what == "prediction" else None
                run = cls(index, records, contract, made, contracts.CONFIDENCE.name in made.made, detections)
                run.notes.add(WITHOUT, len(index.splits[split]) - len(records))
                return run
        wanted = " or ".join(stage for stage, _, _ in STAGES[what])
        beside = sorted(path.parent.name for stage, _, _ in STAGES[what] for path in results.parent.glob(f"*/{stage}"))
        raise ValueError(
            f"{results}: found no finished {wanted}; wanted the results of a variant that has it"
            f"{', here ' + ', '.join(beside) if beside else ''}. A variant lacks the stages that it shares with its base."
        )


class Pictures:
    """The images of a run with their things, as often as they are asked for.

    Objects are numbered true ones, detections, the label map inside boxes, or else connected parts of a class; without `per_object`
    a thing is all of a class.
    """

    def __init__(self, run: Run, what: What, per_object: bool):
        self.run, self.per_object = run, per_object
        self.what: What = what
        self.notes = Notes()
        """Notes of the last way through the images."""
        self._names = Counter(Path(record.photo).name for _, record in run.records)

    def __len__(self) -> int:
        return len(self.run.records)

    def __iter__(self) -> Iterator[Picture]:
        self.notes = Notes()
        return (self._picture(split, record) for split, record in self.run.records)

    def _picture(self, split: str, record: Record) -> Picture:
        plain = Path(record.photo)
        name = plain.name if self._names[plain.name] == 1 else str(plain)
        made = Picture(record.id, name, record.photo, split, record.full_height, record.full_width)
        if self.what == "boxes":
            boxes = record.full_boxes().tolist()
            made.things = [Thing(cls, box) for cls, box in zip(record.box_classes, boxes, strict=True)]
            return made
        made.labels = labels = _labels(self.run, record, self.what)
        if self.per_object:
            made.things = self._objects(record, labels)
        else:
            classes = np.setdiff1d(np.unique(labels), (0, UNKNOWN)).tolist()
            made.things = [_thing(labels == cls, cls, None) for cls in classes]
        _score(made, self.run, record)
        return made

    def _objects(self, record: Record, labels: np.ndarray) -> list[Thing]:
        height, width = labels.shape
        if self.run.detections:
            found = self.run.detections.read(record.id, contracts.DETECTIONS)
            codes, classes, scores = (
                rle.unpack(found, height, width),
                found["classes"].tolist(),
                found["score"].tolist(),
            )
            parts = [part for part in zip(codes, classes, scores, strict=True) if part[2] >= SURE]
            self.notes.add(UNSURE, len(scores) - len(parts), record.id)
            return [_thing(rle.decode(code, height, width), cls, score) for code, cls, score in parts]
        if self.what == "pseudo" and record.boxes:
            boxes, (_, classes) = record.full_boxes(), record.box_arrays()
            masks, whole = masks_in_boxes(labels, boxes, classes, "smaller")
            self.notes.add(WHOLE, whole, record.id)
            return [
                Thing(cls, box, Patch.of(mask))
                for mask, cls, box in zip(masks, classes.tolist(), boxes.tolist(), strict=True)
            ]
        numbers = None
        if self.what == "truth" and record.instances:
            numbers = read_labels(self.run.index.root / record.instances)
        return [_thing(mask, cls, None) for mask, cls in objects(labels, numbers)]


def _labels(run: Run, record: Record, what: What) -> np.ndarray:
    """Return (h, w) uint8 classes at the photograph's size, 255 unknown."""
    if run.manifest and run.contract:
        labels = run.manifest.read(record.id, run.contract)["label"]
    else:
        labels = record.truth_labels(run.index.root)
    if labels is None:
        raise ValueError(f"{record.id}: found no label map; wanted one of {what}. Make it again: snakemake")
    return cv2.resize(labels, (record.full_width, record.full_height), interpolation=cv2.INTER_NEAREST)


def _thing(mask: np.ndarray, cls: int, score: float | None) -> Thing:
    patch = Patch.of(mask)
    return Thing(cls, patch.box, patch, score)


def _score(made: Picture, run: Run, record: Record) -> None:
    """Give every mask of a pseudo label its mean confidence, where there is one."""
    if not run.confidence or run.manifest is None:
        return
    confidence = run.manifest.read(record.id, contracts.CONFIDENCE)["confidence"] / 65535
    for thing in made.things:
        if thing.patch and thing.patch.area:
            x0, y0, x1, y1 = thing.patch.box
            thing.score = float(confidence[y0:y1, x0:x1][thing.patch.pixels].mean())
