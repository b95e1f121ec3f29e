"""Rules for a promptable network's masks: specks and holes, answers that are no object, and which of several answers is taken."""

import numpy as np
from jaxtyping import Bool, Float, Int

from wsss_stages.labels.connected import connected
from wsss_stages.labels.prompts import Prompt

IN_BOX = 0.5
"""Smallest share of a mask that lies in its box: a complement of the object, or the whole image, has less."""
MOST = 0.95
"""Share of the image above which a mask that has no box is the whole image."""


def tidied(mask: Bool[np.ndarray, "h w"], share: float) -> Bool[np.ndarray, "h w"]:
    """Return a mask without parts and holes that are smaller than a share of it; its largest part always stays."""
    if not mask.any() or not share:
        return mask
    least = share * mask.sum()
    kept = _large(mask, least)
    if not kept.any():
        numbers = connected(mask)
        kept = numbers == 1 + np.bincount(numbers.ravel())[1:].argmax()
    return ~_large(~kept, least)


def fault(mask: Bool[np.ndarray, "h w"], prompt: Prompt, min_share: float) -> str:
    """Return why a mask is no answer to its prompt, "" if it is one.

    Of a weak label's box the object lies within it and touches its sides. The box of a tag's CAM is a guess, and no such rule holds.
    """
    area = int(mask.sum())
    if not area:
        return "sam_empty"
    if prompt.kind == "box" and prompt.box:
        x0, y0, x1, y1 = prompt.box
        inside = int(mask[y0:y1, x0:x1].sum())
        if inside < IN_BOX * area:
            return "sam_outside_its_box"
        return "sam_fills_too_little" if inside < min_share * (x1 - x0) * (y1 - y0) else ""
    if area > MOST * mask.size:
        return "sam_whole_image"
    hit, missed = (_share(mask, points) for points in (prompt.inside, prompt.outside))
    if len(prompt.inside) and hit < IN_BOX:
        return "sam_misses_its_prompt"
    return "sam_takes_others" if len(prompt.outside) and missed > IN_BOX else ""


def clipped(mask: Bool[np.ndarray, "h w"], prompt: Prompt) -> Bool[np.ndarray, "h w"]:
    """Return the part of a mask inside the box of a weak label; other masks as they are."""
    if prompt.kind != "box" or not prompt.box:
        return mask
    x0, y0, x1, y1 = prompt.box
    made = np.zeros_like(mask)
    made[y0:y1, x0:x1] = mask[y0:y1, x0:x1]
    return made


def best(
    masks: Bool[np.ndarray, "m h w"],
    iou: Float[np.ndarray, "m"],
    cam: Float[np.ndarray, "h w"] | None,
    parts: Int[np.ndarray, "h w"] | None,
) -> int:
    """Return the number of the answer that agrees best with the class's CAM and with superpixels; without both that of the largest IoU.

    The agreement with the CAM is Σ min(m, c) / Σ max(m, c) over pixels; that with superpixels 1 - Σ_s min(|s ∩ m|, |s \\ m|) / |m|, at
    least 0: outlines of objects run along those of superpixels. Their product decides, and the predicted IoU where it is equal.

    Args:
        iou: predicted.  cam: in [0, 1].  parts: numbers of superpixels.
    """
    if cam is None or parts is None:
        return int(iou.argmax())
    scores = [
        (_with_cam(mask, cam) * _with_parts(mask, parts), float(value)) for mask, value in zip(masks, iou, strict=True)
    ]
    return max(range(len(scores)), key=scores.__getitem__)


def _with_cam(mask: np.ndarray, cam: np.ndarray) -> float:
    return float(cam[mask].sum() / max(np.maximum(mask, cam).sum(), 1e-6))


def _with_parts(mask: np.ndarray, parts: np.ndarray) -> float:
    sizes = np.bincount(parts.ravel())
    inside = np.bincount(parts[mask], minlength=len(sizes))
    return max(0.0, 1 - float(np.minimum(inside, sizes - inside).sum()) / max(1, int(mask.sum())))


def _large(mask: np.ndarray, least: float) -> np.ndarray:
    """Return the connected parts of a mask that have at least so many pixels."""
    numbers = connected(mask)
    large = np.bincount(numbers.ravel()) >= least
    large[0] = False
    return large[numbers]


def _share(mask: np.ndarray, points: np.ndarray) -> float:
    """Return the share of points x, y in a mask."""
    return float(mask[points[:, 1], points[:, 0]].mean()) if len(points) else 0.0
