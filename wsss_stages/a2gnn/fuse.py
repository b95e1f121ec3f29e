"""Merge labels from different sources into seeds: boxes and CAMs (Eqs. 3.4-3.5, as docs/deviations.md explains), and
others.
"""

from functools import reduce

import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.pairwise.array_checks import INTEGER, check_arrays


def fuse(
    M_B: np.ndarray, M: np.ndarray, M_I: np.ndarray, owner: np.ndarray, boxes: np.ndarray, classes: np.ndarray
) -> tuple[np.ndarray, int]:
    """Return M_B where it is background or M agrees with it, 255 elsewhere; with M = M_I it is M_F, with M'_I M_g.

    A box whose class M_I does not see inside it keeps its GrabCut foreground whole.

    Args:
        M_B, M, M_I: (h, w) uint8 labels.  owner: (h, w) box that a pixel belongs to, -1 none.
        boxes: (k, 4) x0 y0 x1 y1.  classes: (k,) class of each box.

    Returns: (h, w) uint8 seeds; number of boxes kept whole. Raises ValueError for arrays of other axes, sizes or types.
    """
    labels = {name: (array, "h w", ("uint8",)) for name, array in (("M_B", M_B), ("M", M), ("M_I", M_I))}
    known = {"owner": (owner, "h w", INTEGER), "boxes": (boxes, "k 4", INTEGER), "classes": (classes, "k", INTEGER)}
    check_arrays("fuse", None, **labels, **known)
    unseen = np.array(
        [not (M_I[y0:y1, x0:x1] == c).any() for (x0, y0, x1, y1), c in zip(boxes.tolist(), classes, strict=True)],
        bool,
    )
    kept_whole = (owner >= 0) & np.append(unseen, False)[owner]
    seeds = np.where((M_B == 0) | (M_B == M) | kept_whole, M_B, UNKNOWN)
    return seeds.astype(np.uint8), int(unseen.sum())


def checked(M_B: np.ndarray, M_I: np.ndarray) -> np.ndarray:
    """Return (h, w) uint8: M_B where M_I does not contradict it, 255 where it does; milder than Eq. 3.4, which asks M_I to agree.

    Raises ValueError for arrays of other axes, sizes or types.
    """
    check_arrays("checked", None, M_B=(M_B, "h w", ("uint8",)), M_I=(M_I, "h w", ("uint8",)))
    return np.where((M_I == UNKNOWN) | (M_I == M_B), M_B, UNKNOWN).astype(np.uint8)


def first_known(layers: list[np.ndarray]) -> np.ndarray:
    """Return (h, w) uint8: at every pixel the label of the first layer that is not unknown there, 255 where all are.

    The order is the precedence of annotations: truth, scribbles, points, boxes, and last the CAMs of tags. For scribbles
    and points over M'_I it is the rule of Sec. 3.6.1.
    """
    return reduce(lambda known, layer: np.where(known == UNKNOWN, layer, known), layers)
