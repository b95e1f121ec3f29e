"""Agreement of an image's label maps with each other and with its boxes: a measure of their quality without truth."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.evaluation import metrics


def agreement(a: np.ndarray, b: np.ndarray, tags: Sequence[int], classes: int) -> float | None:
    """Return the mean IoU in [0, 1] of two (h, w) uint8 label maps over the pixels that both label; None if there are none.

    The mean is over the classes that either map shows there, and over those `tags` of the image, at IoU 0, that neither
    map shows anywhere: missing an object in both maps is no agreement.
    """
    known = (a != UNKNOWN) & (b != UNKNOWN)
    if not known.any():
        return None
    ious = metrics.iou(metrics.confusion(np.where(known, a, UNKNOWN), b, classes))
    shown = np.bincount(a.ravel(), minlength=UNKNOWN + 1) + np.bincount(b.ravel(), minlength=UNKNOWN + 1)
    ious[[c for c in tags if not shown[c]]] = 0
    return float(np.nanmean(ious))


def agreements(maps: dict[str, np.ndarray], tags: Sequence[int], classes: int) -> dict[tuple[str, str], float]:
    """Return `agreement` of every pair of an image's label maps by their names, where it is defined."""
    pairs = {pair: agreement(maps[pair[0]], maps[pair[1]], tags, classes) for pair in combinations(maps, 2)}
    return {pair: value for pair, value in pairs.items() if value is not None}


def sides_hit(label: np.ndarray, boxes: np.ndarray, box_classes: np.ndarray) -> float | None:
    """Return the mean over tight boxes of the share of a box's rows and columns with a pixel of its class; in [0,
    1], None without boxes.
    """
    shares = []
    for (x0, y0, x1, y1), c in zip(boxes.tolist(), box_classes, strict=True):
        inside = label[y0:y1, x0:x1] == c
        shares.append(np.concatenate([inside.any(axis=0), inside.any(axis=1)]).mean())
    return float(np.mean(shares)) if shares else None


def mean_edges(across: np.ndarray, inside: np.ndarray) -> dict[str, float | int | None]:
    """Return mean D across and inside outlines, None of no pair, and the numbers of pairs, of sums of `a2gnn.walk.outline_sums`."""
    means = [float(total / pairs) if pairs else None for total, pairs in (across, inside)]
    return {"across": means[0], "inside": means[1], "pairs_across": int(across[1]), "pairs_inside": int(inside[1])}
