"""Scribbles and clicks spread over their superpixels: M_S and M_P (Sec. 3.6.1)."""

import numpy as np

from wsss_stages import UNKNOWN


def superpixels(image: np.ndarray, count: int, compactness: float) -> np.ndarray:
    """Return (h, w) int: number of each pixel's superpixel, from 0 (SLIC, Achanta et al., TPAMI 2012).

    Args:
        image: (h, w, 3) uint8 RGB.  count: approximate number.  compactness: large for squares, small to follow colours.
    """
    from skimage.segmentation import slic  # seconds, which boxes and tags need not wait

    return slic(image, n_segments=count, compactness=compactness, start_label=0)


def spread(marks: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Return (h, w) uint8: every superpixel takes the label of most of its marked pixels; 255 without any, or in a tie.

    Args:
        marks: (h, w) uint8 classes, 255 elsewhere.  parts: (h, w) numbers of superpixels.
    """
    known = marks != UNKNOWN
    votes = np.zeros((int(parts.max()) + 1, UNKNOWN), np.int64)
    np.add.at(votes, (parts[known], marks[known]), 1)
    most = votes.max(axis=1)
    decided = (most > 0) & ((votes == most[:, None]).sum(axis=1) == 1)
    label = np.where(decided, votes.argmax(axis=1), UNKNOWN).astype(np.uint8)
    return label[parts]


def clicked(points: list[list[int]], height: int, width: int) -> np.ndarray:
    """Return (h, w) uint8 of clicks x, y, class: 255 except at their pixels."""
    marks = np.full((height, width), UNKNOWN, np.uint8)
    for x, y, cls in points:
        marks[y, x] = cls
    return marks
