"""Label maps and boxes to one mask per box (Sec. 3.4): the pixels inside the box that have the box's class."""

from typing import Literal

import numpy as np
from jaxtyping import Bool, Int, UInt8

Overlap = Literal["smaller", "thesis"]
"""Owner of a pixel in several boxes of its class: the smallest box, or all boxes as in the thesis."""


def box_masks(
    labels: UInt8[np.ndarray, "h w"], boxes: Int[np.ndarray, "k 4"], classes: UInt8[np.ndarray, " k"], overlap: Overlap
) -> Bool[np.ndarray, "k h w"]:
    """Return the pixels of every box's object. Of boxes of one size the later one counts as smaller.

    A box all of whose pixels smaller boxes of its class have shares them with these: none is left empty that need not be.

    Args:
        labels: 0 background, 1..N class, 255 unknown, which is no object's.  boxes: x0 y0 x1 y1, pixels, half open.
    """
    masks = np.zeros((len(boxes), *labels.shape), bool)
    owner = np.full(labels.shape, -1)
    for number in _largest_first(boxes):
        x0, y0, x1, y1 = boxes[number]
        inside = labels[y0:y1, x0:x1] == classes[number]
        masks[number, y0:y1, x0:x1] = inside
        owner[y0:y1, x0:x1][inside] = number
    if overlap == "thesis":
        return masks
    alone = masks & (owner == np.arange(len(boxes))[:, None, None])
    return np.where(alone.any(axis=(1, 2), keepdims=True), alone, masks)


def filled(boxes: Int[np.ndarray, "k 4"], height: int, width: int) -> Bool[np.ndarray, "k height width"]:
    """Return the mask of every box."""
    x, y = np.arange(width), np.arange(height)
    x0, y0, x1, y1 = (boxes[:, side, None] for side in range(4))
    return ((y0 <= y) & (y < y1))[:, :, None] & ((x0 <= x) & (x < x1))[:, None, :]


def bounds(masks: Bool[np.ndarray, "k h w"]) -> Int[np.ndarray, "k 4"]:
    """Return the tight box of every mask, x0 y0 x1 y1, half open; zeros for an empty one."""
    ends = []
    for across in (np.logical_or.reduce(masks, axis=1), np.logical_or.reduce(masks, axis=2)):
        first, last = across.argmax(axis=1), across.shape[1] - across[:, ::-1].argmax(axis=1)
        ends.append((first, np.where(across.any(axis=1), last, 0)))
    (x0, x1), (y0, y1) = ends
    return np.stack([x0, y0, x1, y1], axis=1)


def _largest_first(boxes: np.ndarray) -> np.ndarray:
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return np.argsort(-areas, kind="stable")
