"""Connected parts of masks, and their bounds."""

import numpy as np
from jaxtyping import Bool, Integer


def connected(mask: Bool[np.ndarray, "h w"], corners: bool = False) -> Integer[np.ndarray, "h w"]:
    """Return the number of each pixel's connected part, from 1 in the order of their first pixels row by row; 0 outside the mask.

    Args:
        corners: whether pixels that touch by a corner are connected.
    """
    from skimage import measure  # half a second, which boxes need not wait

    return np.asarray(measure.label(mask, connectivity=2 if corners else 1))


def bounds(mask: Bool[np.ndarray, "h w"]) -> tuple[int, int, int, int]:
    """Return the smallest box, x0 y0 x1 y1 half open, of a mask that is not empty."""
    (y,), (x,) = np.nonzero(mask.any(axis=1)), np.nonzero(mask.any(axis=0))
    return int(x[0]), int(y[0]), int(x[-1]) + 1, int(y[-1]) + 1
