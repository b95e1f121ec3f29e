"""Scores of label maps against truth: IoU, boundary IoU, confusion; and whether another score ranks images as truth does."""

from collections.abc import Sequence

import cv2
import numpy as np

from wsss_stages import UNKNOWN


def confusion(truth: np.ndarray, label: np.ndarray, classes: int) -> np.ndarray:
    """Return (classes, classes) int64 pixel counts, true class by row. Pixels whose truth is 255 are left out.

    `label` is (h, w) of 0..classes - 1; raises ValueError for anything else, for 255 above all.
    """
    counted = truth != UNKNOWN
    if label[counted].size and label[counted].max() >= classes:
        raise ValueError(
            f"a label of {label[counted].max()}, but there are {classes} classes; give unknown pixels a class"
        )
    pairs = truth[counted].astype(np.int64) * classes + label[counted]
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def iou(counts: np.ndarray) -> np.ndarray:
    """Return the IoU of every class of a confusion matrix; NaN for a class in neither truth nor labels."""
    hits = np.diag(counts).astype(float)
    union = counts.sum(axis=0) + counts.sum(axis=1) - hits
    return np.divide(hits, union, out=np.full(len(hits), np.nan), where=union > 0)


def mean_iou(counts: np.ndarray, of: np.ndarray | None = None) -> float | None:
    """Return the mean of `iou` over the classes that it is defined for; None if there is none.

    Args:
        of: (classes,) bool, the classes that count; None: all.
    """
    values = iou(counts) if of is None else iou(counts)[of]
    return None if np.isnan(values).all() else float(np.nanmean(values))


def bootstrap_interval(counts: np.ndarray, draws: int = 1000, seed: int = 0) -> tuple[float, float] | None:
    """Return the 95 % interval of the mean IoU over images that are drawn again with replacement; None with fewer than two images.

    Args:
        counts: (n, classes, classes) confusion of every image.
    """
    n, classes = len(counts), counts.shape[-1]
    if n < 2:
        return None
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws)
    sums = (drawn.astype(float) @ counts.reshape(n, -1).astype(float)).reshape(draws, classes, classes)
    means = [value for count in sums if (value := mean_iou(count)) is not None]
    if not means:
        return None
    low, high = np.quantile(means, [0.025, 0.975]).tolist()
    return low, high


def mean_accuracy(counts: np.ndarray) -> float | None:
    """Return the mean over the true classes of the share of their pixels that are labelled right; None if there is
    no pixel.
    """
    pixels = counts.sum(axis=1)
    shown = pixels > 0
    return float((np.diag(counts)[shown] / pixels[shown]).mean()) if shown.any() else None


def mean_average_precision(scores: np.ndarray, truth: np.ndarray) -> float | None:
    """Return the mean over classes of the average precision of the images ranked by score; None if no image shows a class.

    The average precision of a class is the mean, over its images, of the share of them among all images that score at least as
    high. Classes without an image are left out.

    Args:
        scores: (n, c).  truth: (n, c) bool.
    """
    values = []
    for own, shown in zip(scores.T, truth.astype(bool).T, strict=True):
        hits = np.sort(own[shown])
        at_least = [len(ranked) - np.searchsorted(ranked, hits) for ranked in (hits, np.sort(own))]
        values.append((at_least[0] / at_least[1]).mean() if len(hits) else np.nan)
    return None if np.isnan(values).all() else float(np.nanmean(values))


def foreground_iou(counts: np.ndarray) -> np.ndarray:
    """Return (k,) IoU of the foreground in k confusions of background and foreground; NaN where there is none."""
    return np.array([iou(count)[1] for count in counts])


def boundary_counts(truth: np.ndarray, label: np.ndarray, classes: int, share: float) -> np.ndarray:
    """Return (2, classes) pixels of intersection and union of both maps' boundary bands (Cheng et al. 2021, boundary IoU).

    Args:
        share: width of the band inside an object's outline over the image's diagonal, at least one pixel.
    """
    width = max(1, round(share * float(np.hypot(*truth.shape))))
    counted = truth != UNKNOWN
    found = np.zeros((2, classes), np.int64)
    for c in np.union1d(np.unique(truth[counted]), np.unique(label[counted])):
        bands = [_band(np.where(counted, m, 0 if c else UNKNOWN) == c, width) & counted for m in (truth, label)]
        found[:, c] = (bands[0] & bands[1]).sum(), (bands[0] | bands[1]).sum()
    return found


def boundary_iou(found: np.ndarray) -> float | None:
    """Return the mean over the classes of intersection over union of sums of `boundary_counts`."""
    defined = found[1] > 0
    return float((found[0][defined] / found[1][defined]).mean()) if defined.any() else None


def rank_correlation(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Return Spearman's rank correlation in [-1, 1]; None where either is constant or there are fewer than two."""
    if len(set(a)) < 2 or len(set(b)) < 2:
        return None
    from scipy.stats import spearmanr  # half a second, which confusions need not wait

    return float(spearmanr(a, b).statistic)  # pyright: ignore[reportAttributeAccessIssue]


def _band(mask: np.ndarray, width: int) -> np.ndarray:
    """Return the pixels of the mask at most `width` from its outside; the image's edge counts as outside."""
    around = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    inner = cv2.erode(around, np.ones((3, 3), np.uint8), iterations=width)[1:-1, 1:-1]
    return mask & (inner == 0)
