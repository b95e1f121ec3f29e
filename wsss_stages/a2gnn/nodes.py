"""Labels and boxes at the nodes of the graph (Eq. 3.6)."""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from wsss_stages.nets.grid import Grid


def whole_nodes(image: Float[Tensor, "1 3 h w"], stride: int) -> Float[Tensor, "1 3 H W"]:
    """Pad an array with 0 at the right and the bottom to a multiple of `stride`."""
    h, w = image.shape[2:]
    return F.pad(image, (0, -w % stride, 0, -h % stride))


def boxes_at_nodes(boxes: np.ndarray, grid: Grid, height: int, width: int) -> np.ndarray:
    """Return (k, height, width) bool: nodes that lie in a box (x0 y0 x1 y1, pixels, half open), in each direction at least one."""
    x, y = (_in_spans(boxes[:, i], boxes[:, i + 2], grid.places(n).numpy()) for i, n in ((0, width), (1, height)))
    return y[:, :, None] & x[:, None, :]


def _in_spans(start: np.ndarray, stop: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return (k, n) bool: places within [start, stop), or where there are none the one nearest to the middle."""
    centres = places + 0.5  # pixel p reaches from p to p + 1
    inside = (start[:, None] <= centres) & (centres < stop[:, None])
    distance = np.abs(centres - (start + stop)[:, None] / 2)
    nearest = np.arange(len(places)) == distance.argmin(axis=1)[:, None]
    return np.where(inside.any(axis=1, keepdims=True), inside, nearest)


def rows_of(labels: np.ndarray, classes: list[int]) -> Tensor:
    """Return labels as rows of `classes`, int64; -1 for labels that are not among them, such as 255."""
    table = np.full(256, -1, np.int64)
    table[classes] = np.arange(len(classes))
    return torch.from_numpy(table[labels])
