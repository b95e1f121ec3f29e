"""Exponents of the background (Eq. 2.4) from the strength of CAMs on a set of images, and statistics of the resulting labels.

A network that sees its classes nearly everywhere has few pixels near 0, and fixed exponents find no background there. The quantile is
one over many images: in a single one the share of background is as unknown as the label.
"""

from collections.abc import Iterable
from math import log
from typing import NamedTuple

import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.labels import cam as cams

LEAST, MOST = 0.01, 0.99
"""Levels stay inside, where the exponent is finite."""
NOTE = "seeds_"
"""Prefix of the notes of `counts` in a shard of s3_seeds."""
SHARES = ("background_share", "foreground_share", "classes_lost")
"""Names of the values of `shares`."""


class Levels(NamedTuple):
    """Strengths of the CAM, the largest of an image's classes, in (0, 1)."""

    background: float
    """Weaker pixels are background."""
    foreground: float
    """Stronger ones are foreground."""


def of_cams(maps: Iterable[np.ndarray], cam_normalise: str, background_share: float, foreground_share: float) -> Levels:
    """Return the quantiles of the strengths of many images' CAMs; nodes or pixels count alike, images without classes do not.

    Args:
        maps: each (k, y, x), not normalised yet. Values that are no numbers are left out.
        cam_normalise: as `cam.normalise` has it.  background_share, foreground_share: of all pixels, the weakest and the strongest.
    """
    strengths = [cams.normalise(cam, cam_normalise).max(axis=0).ravel() for cam in maps if len(cam)]
    all_ = np.concatenate([np.zeros(0, np.float32), *strengths])
    all_ = all_[np.isfinite(all_)]
    if not all_.size:
        return Levels(0.5, 0.5)
    found = np.quantile(all_, [background_share, 1 - foreground_share])
    return Levels(*np.clip(found, LEAST, MOST).tolist())


def exponent(level: float) -> float:
    r"""Return the exponent by which the background's score is the class's own at a level: :math:`(1 - t)^\gamma = t`."""
    return log(level) / log(1 - level)


def counts(label: np.ndarray, classes: np.ndarray) -> dict[str, int]:
    """Return how many pixels a label map has, how many of them are background and how many foreground, and how many classes have none.

    Args:
        label: (h, w), 255 unknown.  classes: those that the image shows, without background.
    """
    return {
        "pixels": label.size,
        "background": int((label == 0).sum()),
        "foreground": int(((label > 0) & (label != UNKNOWN)).sum()),
        "classes": len(classes),
        "classes_lost": int((~np.isin(classes, label)).sum()),
    }


def shares(counted: dict[str, int]) -> dict[str, float]:
    """Return the shares that sums of `counts` give: of the pixels that are background or foreground, of the classes
    without a pixel.
    """
    pixels, classes = max(1, counted["pixels"]), max(1, counted["classes"])
    found = (counted["background"] / pixels, counted["foreground"] / pixels, counted["classes_lost"] / classes)
    return dict(zip(SHARES, found, strict=True))
