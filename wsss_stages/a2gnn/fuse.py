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
    _check("fuse", {"M_B": M_B, "M": M, "M_I": M_I}, owner, boxes, classes)
    unseen = _unseen(M_I, boxes, classes)
    seeds = np.where((M_B == 0) | (M_B == M) | np.append(unseen, False)[owner], M_B, UNKNOWN)
    return seeds.astype(np.uint8), int(unseen.sum())


def checked(M_B: np.ndarray, M_I: np.ndarray, owner: np.ndarray, boxes: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return (h, w) uint8: M_B where M_I does not contradict it, 255 where it does; milder than Eq. 3.4, where M_I has to agree.

    Args and errors as of `fuse`, and the same boxes keep their foreground whole.
    """
    _check("checked", {"M_B": M_B, "M_I": M_I}, owner, boxes, classes)
    kept_whole = np.append(_unseen(M_I, boxes, classes), False)[owner]
    return np.where((M_I == UNKNOWN) | (M_I == M_B) | kept_whole, M_B, UNKNOWN).astype(np.uint8)


def first_known(layers: list[np.ndarray]) -> np.ndarray:
    """Return (h, w) uint8: at every pixel the label of the first layer that is not unknown there, 255 where all are.

    The order is the precedence of annotations: truth, scribbles, points, boxes, and last the CAMs of tags. For scribbles
    and points over M'_I it is the rule of Sec. 3.6.1.
    """
    return reduce(lambda known, layer: np.where(known == UNKNOWN, layer, known), layers)


def _check(name: str, labels: dict[str, np.ndarray], owner: np.ndarray, boxes: np.ndarray, classes: np.ndarray) -> None:
    known = {"owner": (owner, "h w", INTEGER), "boxes": (boxes, "k 4", INTEGER), "classes": (classes, "k", INTEGER)}
    check_arrays(name, None, **{key: (array, "h w", ("uint8",)) for key, array in labels.items()}, **known)


def _unseen(M_I: np.ndarray, boxes: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return (k,) bool: boxes in which M_I does not show their class."""
    return np.array(
        [not (M_I[y0:y1, x0:x1] == c).any() for (x0, y0, x1, y1), c in zip(boxes.tolist(), classes, strict=True)],
        bool,
    )
