"""What is known of pixels, at the nodes of the graph (Eq. 3.6)."""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def whole_nodes(image: Float[Tensor, "1 3 h w"], stride: int) -> Float[Tensor, "1 3 H W"]:
    """Padded with 0 at the right and the bottom to a multiple of `stride`."""
    h, w = image.shape[2:]
    return F.pad(image, (0, -w % stride, 0, -h % stride))


def labels_at_nodes(labels: np.ndarray, stride: int) -> np.ndarray:
    """(ceil(h / stride), ceil(w / stride)) of an (h, w) map: the pixel in the middle of each node, or its last."""
    y, x = (np.minimum(np.arange(0, n, stride) + stride // 2, n - 1) for n in labels.shape)
    return labels[np.ix_(y, x)]


def average_at_nodes(P: Float[Tensor, "c h w"], stride: int) -> Float[Tensor, "c y x"]:
    """Mean over each node's pixels; nodes at the right and the bottom may have fewer."""
    return F.avg_pool2d(P, stride, ceil_mode=True)


def boxes_at_nodes(boxes: np.ndarray, stride: int, height: int, width: int) -> np.ndarray:
    """(k, height, width) bool: nodes of which a box (x0 y0 x1 y1, pixels, half open) covers any pixel."""
    y, x = np.arange(height)[None, :, None], np.arange(width)[None, None, :]
    x0, y0, x1, y1 = (boxes[:, i, None, None] for i in range(4))
    return (y >= y0 // stride) & (y < -(-y1 // stride)) & (x >= x0 // stride) & (x < -(-x1 // stride))


def rows_of(labels: np.ndarray, classes: list[int]) -> Tensor:
    """Labels as rows of `classes`, int64; -1 for what is not among them, 255 above all."""
    table = np.full(256, -1, np.int64)
    table[classes] = np.arange(len(classes))
    return torch.from_numpy(table[labels])
