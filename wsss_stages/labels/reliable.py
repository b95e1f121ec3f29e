"""Labels from CAMs: M_I, where two backgrounds agree, its confident part M'_I (Eqs. 2.4-2.7, 3.1, 3.5), and saliency."""

from dataclasses import dataclass

import numpy as np
import torch

from wsss_stages import UNKNOWN
from wsss_stages.labels import cam as cams
from wsss_stages.labels.crf import CrfSettings, DenseCrf
from wsss_stages.labels.levels import Levels, exponent
from wsss_stages.pairwise.array_checks import FLOATING, INTEGER, check_arrays


@dataclass(frozen=True)
class Mining:
    """Settings of labels from CAMs (Eqs. 2.3-2.7): `max` or `minmax`, `quantiles` or `fixed`, scores, probabilities
    and shares in [0, 1].
    """

    cam_normalise: str
    thresholds: str
    background_share: float
    foreground_share: float
    gamma_low: float
    """Background exponent that decides foreground (Eq. 2.4), `fixed` alone; `gamma_high` the one that decides background."""
    gamma_high: float
    keep: float
    min_cam: float
    min_background: float
    min_crf: float
    strict_class_agreement: bool
    crf: CrfSettings


def mined(
    image: np.ndarray,
    cam: np.ndarray,
    classes: np.ndarray,
    opt: Mining,
    levels: Levels | None,
    device: str | torch.device,
    name: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Return M_I and M'_I of an image; the CRF refines the scores of both backgrounds over one lattice.

    Without iterations of the CRF the CAM alone decides, and M'_I is I_cam (Eq. 2.6). With `thresholds: quantiles` the exponents
    of both backgrounds come from `levels`, and the CAM is sure of the background wherever it is weaker than the lower one.

    Args:
        image: (h, w, 3) uint8 RGB.  cam: (k, h, w) in [0, 1].  classes: (k,) class of each row.
        levels: of the CAMs of many images, for quantiles.  name: of the image, for messages.

    Raises ValueError, with `name` in it, for arrays of other axes, sizes or types.
    """
    wanted = {"cam": (cam, "k h w", FLOATING), "classes": (classes, "k", INTEGER)}
    check_arrays(f"{name}: mined", image=(image, "h w 3", ("uint8",)), **wanted)
    cam = cams.normalise(cam, opt.cam_normalise)
    fixed = opt.thresholds == "fixed"
    if fixed:
        gammas = opt.gamma_low, opt.gamma_high
    elif levels is not None:
        gammas = exponent(levels.foreground), exponent(levels.background)
    else:
        raise ValueError(f"{name}: mined: found no levels; wanted those of the CAMs for thresholds {opt.thresholds!r}")
    scores = np.stack([cams.with_background(cam, gamma) for gamma in gammas])
    certain = (opt.keep, opt.min_cam, opt.min_background if fixed else 0.0)
    if opt.crf.iterations == 0:
        return agreed(scores[0], scores[1], classes), of_cam(scores[1], classes, *certain)
    crf = DenseCrf(image, **opt.crf.kernels(), device=device)
    Q_low, Q_high = crf.infer(torch.from_numpy(scores).to(device), opt.crf.iterations, name).cpu().numpy()
    M_I = agreed(Q_low, Q_high, classes)
    return M_I, confident(M_I, scores[1], Q_low, Q_high, classes, *certain, opt.min_crf, opt.strict_class_agreement)


def agreed(Q_low: np.ndarray, Q_high: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return M_I (Eq. 3.1): foreground where the low background exponent says so, background where the high one does.

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


def of_cam(scores: np.ndarray, classes: np.ndarray, keep: float, min_cam: float, min_background: float) -> np.ndarray:
    """Return I_cam (Eq. 2.6): the top `keep` of the pixels that a class wins, and background above `min_background`; else 255.

    Args:
        scores: (1 + k, h, w) CAM with the background of the high exponent first.
        keep: share in (0, 1].  min_cam: pixels under it are not counted among a class's pixels.
    """
    won = scores.argmax(axis=0)
    sure = np.full(won.shape, UNKNOWN, np.uint8)
    sure[(won == 0) & (scores[0] > min_background)] = 0
    for row, c in enumerate(classes, start=1):
        mine = (won == row) & (scores[row] > min_cam)
        values = scores[row][mine]
        cut = int((1 - keep) * len(values))
        if cut >= 1 or keep == 1:
            sure[mine & (scores[row] > (np.partition(values, cut)[cut] if keep < 1 else -1))] = c
    return sure


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
    """Return M'_I (Eq. 3.5): M_I where both the CAM and the CRF are sure, 255 elsewhere.

    Args:
        scores, keep, min_cam, min_background: as `of_cam` says, by which the CAM is sure.
        strict: CAM and CRF must be sure of the same class (Eq. 2.7), not just both sure (released code).
    """
    sure = of_cam(scores, classes, keep, min_cam, min_background)
    crf_sure = np.maximum(Q_high[0], Q_low[1:].max(axis=0) if len(classes) else 0) >= min_crf
    both = crf_sure & (sure != UNKNOWN)
    if strict:
        both &= sure == M_I
    return np.where(both, M_I, UNKNOWN).astype(np.uint8)


def with_saliency(M_I: np.ndarray, M_I_top: np.ndarray, salient: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return M_I and M'_I where a saliency map does not contradict them, 255 elsewhere (setting I+E of Sec. 3.6.2).

    A class stays only where `salient`. Background stays only where not, and there saliency alone makes M_I's background confident.

    Args:
        salient: (h, w) bool.
    """
    agreed = np.where((M_I > 0) == salient, M_I, UNKNOWN).astype(np.uint8)
    sure = (agreed == 0) | (M_I_top != UNKNOWN)
    return agreed, np.where(sure, agreed, UNKNOWN).astype(np.uint8)
