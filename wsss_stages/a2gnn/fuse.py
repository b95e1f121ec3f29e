"""Merge box and CAM labels into seeds (Eqs. 3.4-3.5, in the reading that the README's Deviations explain)."""

import numpy as np

from wsss_stages import UNKNOWN


def fuse(
    M_B: np.ndarray, M: np.ndarray, M_I: np.ndarray, owner: np.ndarray, boxes: np.ndarray, classes: np.ndarray
) -> tuple[np.ndarray, int]:
    """M_B where it is background or M agrees with it, 255 elsewhere; with M = M_I it is M_F, with M'_I M_g.

    A box whose class M_I does not see inside it keeps its GrabCut foreground whole.

    Args:
        M_B, M, M_I: (h, w) uint8 labels.  owner: (h, w) box that a pixel belongs to, -1 none.
        boxes: (k, 4) x0 y0 x1 y1.  classes: (k,) class of each box.

    Returns: (h, w) uint8 seeds; number of boxes kept whole.
    """
    unseen = np.array(
        [
            not (M_I[y0:y1, x0:x1] == c).any()
            for (x0, y0, x1, y1), c in zip(np.asarray(boxes).tolist(), classes, strict=True)
        ],
        bool,
    )
    kept_whole = (owner >= 0) & np.append(unseen, False)[owner]
    seeds = np.where((M_B == 0) | (M_B == M) | kept_whole, M_B, UNKNOWN)
    return seeds.astype(np.uint8), int(unseen.sum())
