"""Repeat factors of a training's images where classes are rare (Gupta et al. 2019, LVIS, repeat-factor sampling)."""

from collections.abc import Iterable

import numpy as np


def repeat_factors(classes: Iterable[Iterable[int]], below: float) -> np.ndarray | None:
    """Return (n,) the repeat factor of every image: the largest of max(1, sqrt(below / f)) over its classes.

    Args:
        classes: the classes of every image. A share f of the images shows a class.
        below: t of the paper; 0 = None, all images equally often.
    """
    if not below:
        return None
    shown = [sorted(set(some)) for some in classes]
    images = np.repeat(np.arange(len(shown)), [len(some) for some in shown])
    each = np.array([c for some in shown for c in some], np.int64)
    shares = np.bincount(each) / len(shown)
    of_class = np.maximum(1, np.sqrt(below / np.maximum(shares, 1 / len(shown))))
    factors = np.ones(len(shown))
    np.maximum.at(factors, images, of_class[each])
    return factors


def drawn(factors: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of as many draws as there are images, and how many draws of the same image come before each.

    Draws are systematic: an image whose factor is r comes n r / sum(r) times, rounded up or down, in expectation exactly.
    """
    n = len(factors)
    ends = np.cumsum(factors) * (n / factors.sum())
    positions = np.minimum(np.searchsorted(ends, np.arange(n) + rng.random(), side="right"), n - 1)
    before = np.arange(n) - np.searchsorted(positions, positions)
    order = rng.permutation(n)
    return positions[order], before[order]
