"""Soft masks of boxes: the targets of the object network, the mixture with the mask source, and the label map of all boxes."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wsss_stages import UNKNOWN
from wsss_stages.a2gnn.tight_boxes import touch_own_sides
from wsss_stages.labels.box_crops import back
from wsss_stages.labels.grabcut import winners


def target(
    number: int, masks: np.ndarray, substituted: np.ndarray, boxes: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    """Return (h, w) uint8, the target of one box's object: 1 object, 0 not, 255 unknown.

    The mask source's foreground of the box (Eq. 3.2) is object but where another box wins it (the smaller foreground does): one of the
    same class leaves it unknown, for two persons side by side have one mask in truth; one of another class makes it background.
    A box that the source failed in is unknown.

    Args:
        masks: (k, h, w) bool.  substituted: (k,) bool.  boxes: (k, 4) x0 y0 x1 y1, half open.  classes: (k,).
    """
    owner = winners(masks)
    other = (owner >= 0) & (owner != number)
    known = (masks[number] & ~other).astype(np.uint8)
    known[other & (classes[owner] == classes[number])] = UNKNOWN
    if substituted[number]:
        x0, y0, x1, y1 = boxes[number]
        known[y0:y1, x0:x1] = UNKNOWN
    return known


def soft_mask(
    logits: np.ndarray,
    window: np.ndarray,
    source: np.ndarray,
    box: np.ndarray,
    grabcut_share: float,
    tight_share: float,
) -> Float[Tensor, "y x"]:
    """Return the probability of a box's object at the box's pixels; it touches all sides of the box (Eq. 3.23's prior).

    Args:
        logits: (s, s) of nets.object_net.  window: what its crop shows, see labels.box_crops.
        source: (y, x) probabilities of the mask source at the box's pixels; GrabCut's are 0 and 1.
    """
    network = torch.from_numpy(back(logits, window, box)).sigmoid()
    known = torch.from_numpy(source).float()
    return touch_own_sides((1 - grabcut_share) * network + grabcut_share * known, tight_share)


def merge(
    P: list[Float[Tensor, "_ _"]], boxes: np.ndarray, rows: Int[Tensor, "k"], classes: int, height: int, width: int
) -> Float[Tensor, "c h w"]:
    """Return soft masks of boxes as probabilities of classes, summing to 1.

    Background is where no box's object is, ∏(1 - P_k) over all boxes; a class 1 - ∏(1 - P_k) over its own; normalised. The smaller box
    wins: an object that is more likely than not in front, P_k over 1/2, leaves the share 2 (1 - P_k) of what larger boxes of other classes
    claim. So a passenger in the window of a bus stays a passenger, however sure the bus. Boxes of one size cover nothing of each other.

    Args:
        rows: row of each box's class, 1 and up.  classes: rows, with background.
    """
    claims, free = torch.zeros(classes, height, width), torch.ones(height, width)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for area in np.unique(areas)[::-1]:
        group = [
            (int(row), slice(y0, y1), slice(x0, x1), p)
            for p, (x0, y0, x1, y1), row, own in zip(P, boxes, rows, areas, strict=True)
            if own == area
        ]
        for row, y, x, p in group:
            claim = claims[row, y, x].clone()
            claims[:, y, x] *= (2 * (1 - p)).clamp(max=1)
            claims[row, y, x] = claim
        for row, y, x, p in group:
            claims[row, y, x] = 1 - (1 - claims[row, y, x]) * (1 - p)
            free[y, x] *= 1 - p
    claims[0] = free
    return claims / claims.sum(dim=0, keepdim=True)


def pack(P: list[Float[Tensor, "_ _"]]) -> np.ndarray:
    """Return the soft masks of boxes as contracts.OBJECTS stores them."""
    return (torch.cat([torch.zeros(0), *(p.flatten() for p in P)]) * 255).round().to(torch.uint8).numpy()


def unpack(packed: np.ndarray, boxes: np.ndarray) -> list[Float[Tensor, "_ _"]]:
    """Return the probabilities of each box's pixels from what `pack` returned."""
    sizes = np.stack([boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]], axis=1)
    parts = np.split(packed, np.cumsum(sizes.prod(axis=1)))[: len(boxes)]
    return [torch.from_numpy(part.reshape(size)) / 255 for part, size in zip(parts, sizes, strict=True)]
