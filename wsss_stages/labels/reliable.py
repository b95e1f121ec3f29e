"""From CAM to labels: M_I, where two backgrounds agree, its confident part M'_I (Eqs. 2.4-2.7, 3.1, 3.5), and saliency."""

import numpy as np

from wsss_stages import UNKNOWN


def agreed(Q_low: np.ndarray, Q_high: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """M_I (Eq. 3.1): foreground where the low background exponent says so, background where the high one does.

    Args:
        Q_low, Q_high: (1 + k, h, w) probabilities after the CRF, background first, for exponents 4 and 24.
        classes: (k,) class of each row after the first.

    Returns: (h, w) uint8; 255 where the two disagree.
    """
    ids = np.concatenate([[0], classes]).astype(np.uint8)
    M_I = ids[Q_low.argmax(axis=0)]
    M_I[M_I == 0] = UNKNOWN
    M_I[Q_high.argmax(axis=0) == 0] = 0
    return M_I


def confident(
    M_I: np.ndarray,
    scores: np.ndarray,
    Q_low: np.ndarray,
    Q_high: np.ndarray,
    classes: np.ndarray,
    keep: float,
    min_cam: float,
    min_background: float,
    min_crf: float,
    strict: bool,
) -> np.ndarray:
    """M'_I (Eq. 3.5): M_I where both the CAM and the CRF are sure, 255 elsewhere.

    The CAM is sure of the top `keep` of the pixels that a class wins, and of background above `min_background`.

    Args:
        scores: (1 + k, h, w) CAM with the background of the high exponent first.
        keep: share in (0, 1].  min_cam: pixels under it are not counted among a class's pixels.
        strict: CAM and CRF must be sure of the same class (Eq. 2.7), not just both sure (released code).
    """
    won = scores.argmax(axis=0)
    sure = np.full(M_I.shape, UNKNOWN, np.uint8)
    sure[(won == 0) & (scores[0] > min_background)] = 0
    for row, c in enumerate(classes, start=1):
        mine = (won == row) & (scores[row] > min_cam)
        values = np.sort(scores[row][mine])
        cut = int((1 - keep) * len(values))
        if cut >= 1 or keep == 1:
            sure[mine & (scores[row] > (values[cut] if keep < 1 else -1))] = c
    crf_sure = np.maximum(Q_high[0], Q_low[1:].max(axis=0) if len(classes) else 0) >= min_crf
    both = crf_sure & (sure != UNKNOWN)
    if strict:
        both &= sure == M_I
    return np.where(both, M_I, UNKNOWN).astype(np.uint8)


def with_saliency(M_I: np.ndarray, M_I_top: np.ndarray, salient: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """M_I and M'_I where a saliency map does not contradict them, 255 elsewhere (setting I+E of Sec. 3.6.2).

    A class stays only where `salient`. Background stays only where not, and there saliency alone makes M_I's background confident.

    Args:
        salient: (h, w) bool.
    """
    agreed = np.where((M_I > 0) == salient, M_I, UNKNOWN).astype(np.uint8)
    sure = (agreed == 0) | (M_I_top != UNKNOWN)
    return agreed, np.where(sure, agreed, UNKNOWN).astype(np.uint8)
