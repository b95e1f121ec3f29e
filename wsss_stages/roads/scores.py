"""Scores of label maps against truth: counts of pixels summed over images, and the scores that follow from them."""

from collections.abc import Callable, Iterable, Sequence

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from wsss_stages import UNKNOWN
from wsss_stages.data.index import Index, Record
from wsss_stages.evaluation import metrics
from wsss_stages.evaluation.agreement import mean_edges
from wsss_stages.labels.boxes import filled
from wsss_stages.shards.manifest import Manifest
from wsss_stages.shards.shard_by_shard import ShardByShard
from wsss_stages.store import contracts
from wsss_stages.store.progress import progress

EdgeSums = Callable[[Record, Manifest, np.ndarray], tuple[np.ndarray, np.ndarray]]
WHOLE = 2**60
"""Unit of shares summed as integers, so that the sum does not depend on the order of the shards."""


def frequent_classes(records: Iterable[Record], classes: int, images: int) -> Bool[np.ndarray, " classes"]:
    """Return the classes that at least `images` images show, and background if there is any."""
    shown = np.zeros(classes, np.int64)
    for record in records:
        shown[record.tags] += 1
    frequent = shown >= images
    frequent[0] = frequent.any()
    return frequent


class Scores:
    """Counts of label maps by their names, each a row of the scores."""

    def __init__(self, names: Sequence[str], classes: Sequence[str], boundary_share: float):
        """
        Args:
            boundary_share: of `metrics.boundary_counts`.
        """
        self.classes, self.boundary_share, self.images = classes, boundary_share, 0
        n = len(classes)
        self.counts = {name: np.zeros((n, n), np.int64) for name in names}
        self.bands = {name: np.zeros((2, n), np.int64) for name in names}
        self.unknown = dict.fromkeys(names, 0)
        self.across, self.inside = np.zeros(2), np.zeros(2)

    def add(self, truth: UInt8[np.ndarray, "H W"], labels: dict[str, UInt8[np.ndarray, "_ _"]]) -> None:
        """Count an image: its label maps, of any size, by the names of their rows. Unknown pixels count as background."""
        self.images += 1
        for name, label in labels.items():
            self.unknown[name] += round(float((label == UNKNOWN).mean()) * WHOLE)
            label = np.where(label == UNKNOWN, 0, label)
            label = cv2.resize(label, truth.shape[::-1], interpolation=cv2.INTER_NEAREST)
            self.counts[name] += metrics.confusion(truth, label, len(self.classes))
            self.bands[name] += metrics.boundary_counts(truth, label, len(self.classes), self.boundary_share)

    def add_edges(self, across: np.ndarray, inside: np.ndarray) -> None:
        """Count an image's edges: sum and number of pairs across true outlines, and inside."""
        self.across, self.inside = self.across + across, self.inside + inside

    def rows(self, frequent: Bool[np.ndarray, " classes"]) -> dict[str, dict]:
        """Return the scores of every label map; `frequent` are the classes of `miou_frequent`."""
        return {
            name: {
                "miou": metrics.mean_iou(counts),
                "miou_frequent": metrics.mean_iou(counts, frequent),
                "boundary_iou": metrics.boundary_iou(self.bands[name]),
                "unknown": self.unknown[name] / WHOLE / self.images if self.images else 0.0,
                "iou": {
                    cls: None if np.isnan(value) else value
                    for cls, value in zip(self.classes, metrics.iou(counts).tolist(), strict=True)
                },
                "confusion": counts.tolist(),
            }
            for name, counts in self.counts.items()
        }

    def outlines(self) -> dict[str, float | int | None]:
        """Return mean edges across true outlines and inside, and of how many pairs."""
        return mean_edges(self.across, self.inside)


def scored(
    index: Index, split: str, images: ShardByShard, boundary_share: float, edge_sums: EdgeSums | None = None
) -> Scores:
    """Return the scores of every label map that images have, and of `boxes`, where a true mask of the split has any beside it.

    Args:
        images: those of the split with truth.  edge_sums: `outline_edges.edge_sums`, where there are edges; None: none are counted.
    """
    maps = [c for c in contracts.ALL.values() if "label" in c.fields and c.name in images.made]
    boxes = ["boxes"] if any(r.truth and "box" in r.kinds for r in index.split(split)) else []
    scores = Scores([*boxes, *(c.name for c in maps)], index.classes, boundary_share)
    for record, manifest in progress(images, "s9_evaluate"):
        truth = record.known_truth(index.root)
        labels = {c.name: manifest.read(record.id, c)["label"] for c in maps}
        if boxes:
            labels["boxes"] = filled(*record.box_arrays(), record.height, record.width)
        if edge_sums:
            scores.add_edges(*edge_sums(record, manifest, truth))
        scores.add(truth, labels)
    return scores
