"""GrabCut in every box and the label map of an image (Eqs. 3.2-3.3); the rules for boxes where it fails."""

import cv2
import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.labels.boxes import inside
from wsss_stages.pairwise.array_checks import INTEGER, check_arrays

ENOUGH_OUTSIDE = 16
"""Fewest pixels outside the box: GrabCut fits five Gaussians to them."""


def foregrounds(
    image: np.ndarray, boxes: np.ndarray, iterations: int, min_side: int, min_iou: float, seed: int
) -> tuple[np.ndarray, list[str]]:
    """Return the foreground of every box on its own (Eq. 3.2).

    Where GrabCut cannot work or has failed the whole box is foreground, and the reason is returned: a side under
    `min_side`, a box that leaves nothing outside, an empty foreground, a foreground whose IoU with its box is under
    `min_iou`.

    Args:
        image: (h, w, 3) uint8 RGB.  boxes: (k, 4) x0 y0 x1 y1, pixels, 0-based, half open.
        seed: of OpenCV's random start of the colour models.

    Returns: (k, h, w) bool, and of every box why it was substituted, "" if it was not. Raises ValueError for arrays of other axes
    or types.
    """
    check_arrays("foregrounds", image=(image, "h w 3", ("uint8",)), boxes=(boxes, "k 4", INTEGER))
    h, w = image.shape[:2]
    masks = np.zeros((len(boxes), h, w), bool)
    reasons = []
    bgr = np.ascontiguousarray(image[:, :, ::-1])
    for number, (x0, y0, x1, y1) in enumerate(boxes.tolist()):
        area = (x1 - x0) * (y1 - y0)
        reason = ""
        if min(x1 - x0, y1 - y0) < min_side:
            reason = "grabcut_tiny_box"
        elif h * w - area < ENOUGH_OUTSIDE:
            reason = "grabcut_whole_image_box"
        else:
            masks[number] = _grabcut(bgr, (x0, y0, x1 - x0, y1 - y0), iterations, (seed + number) % 2**31)
            found = int(masks[number].sum())
            if found == 0:
                reason = "grabcut_empty"
            elif found / area < min_iou:
                reason = "grabcut_fills_too_little"
        if reason:
            masks[number] = False
            masks[number, y0:y1, x0:x1] = True
        reasons.append(reason)
    return masks, reasons


def winners(masks: np.ndarray) -> np.ndarray:
    """Return (h, w) int16: the box whose foreground a pixel belongs to, -1 for none; the smaller foreground wins."""
    owner = np.full(masks.shape[1:], -1, np.int16)
    areas = masks.sum(axis=(1, 2))
    for number in np.argsort(-areas, kind="stable"):
        owner[masks[number]] = number
    return owner


def label(owner: np.ndarray, boxes: np.ndarray, classes: np.ndarray, background_in_boxes: bool) -> np.ndarray:
    """Return M_B of Eq. 3.3: 0 outside all boxes, the class of the box a pixel belongs to, 255 elsewhere inside boxes.

    With `background_in_boxes`, GrabCut's background inside boxes is 0 instead of 255.
    """
    M_B = np.zeros(owner.shape, np.uint8)
    if not background_in_boxes:
        M_B[inside(boxes, *owner.shape)] = UNKNOWN
    owned = owner >= 0
    M_B[owned] = np.asarray(classes, np.uint8)[owner[owned]]
    return M_B


def _grabcut(bgr: np.ndarray, rectangle: tuple[int, int, int, int], iterations: int, seed: int) -> np.ndarray:
    cv2.setRNGSeed(seed)
    mask = np.zeros(bgr.shape[:2], np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(bgr, mask, rectangle, *models, iterations, cv2.GC_INIT_WITH_RECT)
    return (mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)
