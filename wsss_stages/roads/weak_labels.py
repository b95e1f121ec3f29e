"""Weak labels drawn from the true masks of a dataset's images, written as an importer reads them."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from wsss_stages.config.options import SimulateWeak
from wsss_stages.data.images import read_labels
from wsss_stages.data.importers import voc_writer
from wsss_stages.data.index import Index, Record, stable_hash
from wsss_stages.data.notes import Notes
from wsss_stages.data.weak import simulate
from wsss_stages.store import artifacts
from wsss_stages.store.progress import progress

CONNECTED = "images without numbered masks, whose objects are the connected parts of a class"


class WeakLabeller:
    """An annotator of images; the options set the kinds of labels."""

    def __init__(self, index: Index, out: Path, opt: SimulateWeak):
        self.index, self.out, self.opt = index, out, opt
        self.points: dict[str, list[dict[str, int]]] = {}
        self.tags: dict[str, list[str]] = {}
        self.notes = Notes()

    def run(self, records: list[Record]) -> None:
        """Write the weak labels of images that have a true mask."""
        for record in progress(records, "simulate_weak"):
            labels = record.known_truth(self.index.root)
            instances = read_labels(self.index.root / record.instances) if record.instances else None
            self.notes.add(CONNECTED, int(instances is None), record.id)
            self.label(record, labels, instances)
        if "point" in self.opt.kinds:
            artifacts.write_json(self.out / "points.json", self.points)
        if "tag" in self.opt.kinds:
            voc_writer.write_tags(self.out / "tags.csv", self.tags)

    def label(
        self, record: Record, labels: UInt8[np.ndarray, "H W"], instances: UInt8[np.ndarray, "H W"] | None
    ) -> None:
        """Write boxes and scribbles of an image, and keep its points and tags.

        Args:
            labels: true classes, 255 unknown.  instances: numbers of objects, None: objects are the connected parts of a class.
        """
        kinds, names = self.opt.kinds, self.index.classes
        objects = simulate.objects(labels, instances)
        if "box" in kinds:
            rng = self.rng(record, "box")
            boxes = [(names[c], simulate.box(mask, self.opt.box_jitter, rng)) for mask, c in objects]
            size = record.full_height, record.full_width
            voc_writer.write_boxes(self.out / "Annotations" / f"{record.id}.xml", *size, boxes)
        if "scribble" in kinds:
            pen = self.opt.scribble_ratio, self.opt.scribble_width
            drawn = simulate.scribbles(labels, instances, *pen, self.rng(record, "scribble"))
            voc_writer.write_labels(self.out / "Scribbles" / f"{record.id}.png", drawn)
        if "point" in kinds:
            rng = self.rng(record, "point")
            clicks = [(*simulate.point(mask, rng), c) for mask, c in objects]
            self.points[record.id] = [{"x": x, "y": y, "cls": c} for x, y, c in clicks]
        self.tags[record.id] = [names[c] for c in simulate.tags(labels)]

    def rng(self, record: Record, kind: str) -> np.random.Generator:
        """Return the random numbers that labels of one kind of an image are drawn by."""
        return np.random.default_rng(stable_hash(record.id, "simulate_weak", kind, self.opt.seed))
