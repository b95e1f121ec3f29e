"""Detections of images beside their true instances, and the average precision of all."""

from typing import Any

import numpy as np

from wsss_stages.data import instances, rle
from wsss_stages.data.index import Index, Record
from wsss_stages.data.notes import Notes
from wsss_stages.evaluation.average_precision import average_precision
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import contracts
from wsss_stages.store.progress import progress

Result = dict[str, Any]
"""One detection, as COCO's results JSON has it."""


class DetectionScores:
    """The detections and the true objects of the images of a split; images are numbered from 1."""

    def __init__(self, index: Index, split: str):
        self.index, self.split, self.records = index, split, index.split(split)
        self.truth = instances.frame(index, self.records)
        self.results: list[Result] = []
        """All detections."""
        self.scored: list[Result] = []
        """Those in images with true instances, without the pixels that annotators left open."""
        self.void: dict[int, dict] = {}
        """Code of the open pixels of every image with true instances."""
        self.notes = Notes()

    def read(self, manifest: Manifest) -> None:
        """Add the detections of all images."""
        for number, record in enumerate(progress(self.records, "s9_instances"), 1):
            self.add(number, record, manifest.read(record.id, contracts.DETECTIONS))

    def add(self, number: int, record: Record, found: dict[str, np.ndarray]) -> None:
        """Add the detections of an image, as contracts.DETECTIONS stores them, and its true instances where it has any."""
        detections = results_of(number, found, record.full_height, record.full_width)
        self.results += detections
        if not (record.truth and record.instances):
            self.notes.add(instances.UNNUMBERED, 1, record.id)
            return
        open_pixels = instances.add_truth(self.truth, number, record, self.index)
        (self.void[number],) = rle.encode(open_pixels[None])
        self.scored += [detection | rle.without(detection["segmentation"], open_pixels) for detection in detections]

    def summary(self) -> dict[str, Any]:
        """Return the content of average_precision.json."""
        means, of_classes = average_precision(self.truth, self.void, self.scored)
        return {
            "dataset": self.index.dataset,
            "split": self.split,
            "images": len(self.void),
            "images_without_truth": len(self.records) - len(self.void),
            "objects": len(self.truth["annotations"]),
            "detections": len(self.scored),
            "mean": means,
            "classes": {self.index.classes[number]: rows for number, rows in of_classes.items()},
        }


def results_of(number: int, found: dict[str, np.ndarray], height: int, width: int) -> list[Result]:
    """Return an image's detections as COCO's results JSON; boxes are x, y, width, height in pixels of the full size."""
    codes = rle.unpack(found, height, width)
    columns = found["classes"], found["score"], found["box"].tolist(), codes
    return [
        {
            "image_id": number,
            "category_id": int(cls),
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "score": float(score),
            "segmentation": code,
        }
        for cls, score, (x0, y0, x1, y1), code in zip(*columns, strict=True)
    ]
