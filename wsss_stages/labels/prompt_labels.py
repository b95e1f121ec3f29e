"""Labels from masks of prompts without boxes: of scribbles and clicks M_S and M_P, of tags what agrees with the CAMs."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, UInt8

from wsss_stages import UNKNOWN
from wsss_stages.a2gnn.fuse import first_known, fuse
from wsss_stages.labels.connected import bounds
from wsss_stages.labels.grabcut import winners
from wsss_stages.labels.superpixels import spread


def label_of(masks: Bool[np.ndarray, "k h w"], classes: UInt8[np.ndarray, "k"]) -> UInt8[np.ndarray, "h w"]:
    """Return the class of the mask that a pixel belongs to, of several the smallest, 255 outside all."""
    return np.append(classes, UNKNOWN).astype(np.uint8)[winners(masks)]


def by_masks(
    marks: Sequence[UInt8[np.ndarray, "h w"]],
    parts: np.ndarray,
    masks: Bool[np.ndarray, "k h w"],
    classes: UInt8[np.ndarray, "k"],
    substituted: Bool[np.ndarray, "k"],
) -> UInt8[np.ndarray, "h w"]:
    """Return M_S or M_P: the marks themselves, then the masks of their objects, then the superpixels of marks that have no mask.

    Those are marks of background, and of classes with a prompt whose mask was substituted.

    Args:
        marks: classes of scribbles and of clicks, 255 elsewhere; the first counts most.  parts: numbers of superpixels.
        masks, classes, substituted: of the marks' prompts.
    """
    without = [0, *np.unique(classes[substituted]).tolist()]
    rest = [np.where(np.isin(mark, without), mark, UNKNOWN).astype(np.uint8) for mark in marks]
    return first_known([*marks, label_of(masks, classes), *(spread(mark, parts) for mark in rest)])


def agreeing(
    M: UInt8[np.ndarray, "h w"],
    M_I: UInt8[np.ndarray, "h w"],
    masks: Bool[np.ndarray, "k h w"],
    classes: UInt8[np.ndarray, "k"],
) -> tuple[UInt8[np.ndarray, "h w"], UInt8[np.ndarray, "h w"]]:
    """Return M_B of tags and its seeds: as of boxes M_B where M agrees with it, 255 elsewhere (Eqs. 3.4-3.5).

    M_B has the masks' classes; outside of all masks it is M, but unknown where M has a class that has masks. A mask whose class M_I does
    not see in its bounds is kept whole.

    Args:
        M: M_I for M_F, M'_I for M_g.  masks: of tags, none of them empty.
    """
    M_B = first_known([label_of(masks, classes), np.where(np.isin(M, classes), UNKNOWN, M).astype(np.uint8)])
    boxes = np.array([bounds(mask) for mask in masks], int).reshape(-1, 4)
    seeds, _ = fuse(M_B=M_B, M=M, M_I=M_I, owner=winners(masks), boxes=boxes, classes=classes)
    return M_B, seeds
