"""Prototypes without training: the baseline that a trained network has to beat."""

from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from wsss_stages.evaluation import metrics
from wsss_stages.scl.head import Maps
from wsss_stages.scl.similarity import joined, prototypes, similarity

THRESHOLDS = np.linspace(-0.3, 0.5, 41)
"""Thresholds of which one is chosen."""


class Untrained:
    """Objects where a query is more similar to the mean of the supports' object than to that of the surroundings."""

    def __init__(self, supports: Maps, M_s: Bool[Tensor, "K y x"], known: Bool[Tensor, "K y x"], threshold: float):
        """
        Args:
            threshold: similarities above it are foreground.
        """
        self.P, self.threshold = prototypes(supports.middle, M_s, known), threshold

    def scores(self, query: Maps, shots: int) -> Float[Tensor, "1 2 y x"]:
        """Return scores of background and foreground of one query under the first supports together."""
        foreground = similarity(query.middle, joined(self.P[:shots])) - self.threshold
        return torch.stack([torch.zeros_like(foreground), foreground], dim=1)


def confusions(found: Float[np.ndarray, "h w"], mask: UInt8[np.ndarray, "h w"]) -> Int[np.ndarray, "t 2 2"]:
    """Return the confusion of a mask with the scores above each threshold; 255 does not count."""
    above = np.searchsorted(THRESHOLDS, found, side="left")  # thresholds below
    counts = np.zeros((len(THRESHOLDS), 2, 2), np.int64)
    for label in (0, 1):
        of_label = np.bincount(above[mask == label], minlength=len(THRESHOLDS) + 1)
        counts[:, label, 1] = of_label[::-1].cumsum()[::-1][1:]
        counts[:, label, 0] = of_label.sum() - counts[:, label, 1]
    return counts


def best_threshold(found: Iterable[tuple[int, np.ndarray, np.ndarray]], classes: int) -> float:
    """Return the threshold of the best mIoU over the classes of some episodes.

    Args:
        found: of each episode its class, similarities and mask.  classes: with the background.
    """
    counts = np.zeros((classes, len(THRESHOLDS), 2, 2), np.int64)
    for cls, similarities, mask in found:
        counts[cls] += confusions(similarities, mask)
    shown = counts[counts[:, 0, 1].sum(axis=1) > 0]
    iou = np.stack([metrics.foreground_iou(pair) for pair in shown])
    return float(THRESHOLDS[iou.mean(axis=0).argmax()])
