"""Label maps and masks of boxes (x0 y0 x1 y1, pixels, 0-based, half open)."""

from collections.abc import Sequence

import numpy as np

SMALLEST_BOX = 4
"""Pixels of a box's shorter side: less shows no object to learn from."""


def inside(boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return (h, w) bool: pixels of any box."""
    found = np.zeros((height, width), bool)
    for x0, y0, x1, y1 in boxes:
        found[y0:y1, x0:x1] = True
    return found


def allowed(
    boxes: np.ndarray, box_classes: np.ndarray, classes: Sequence[int] | np.ndarray, height: int, width: int
) -> np.ndarray:
    """Return (1 + k, h, w) bool, where boxes allow each class: background anywhere, each of `classes` in its own
    boxes only.
    """
    masks = [inside(boxes[box_classes == c], height, width) for c in classes]
    return np.stack([np.ones((height, width), bool), *masks])


def smallest_first(boxes: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return (k,) numbers of boxes by their area, boxes of one area by class and place: one order, however the boxes
    are listed.
    """
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return np.lexsort((*boxes.T, classes, areas))


def filled(boxes: np.ndarray, box_classes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return (h, w) uint8: every box filled with its class, smaller boxes over larger ones; 0 elsewhere."""
    label = np.zeros((height, width), np.uint8)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for number in np.argsort(-areas, kind="stable"):
        x0, y0, x1, y1 = boxes[number]
        label[y0:y1, x0:x1] = box_classes[number]
    return label
