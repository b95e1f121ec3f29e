"""Images and masks on a square of one side, and scores back from it; the longer side fills it, the rest is at its right or bottom."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from wsss_stages import UNKNOWN
from wsss_stages.nets.grid import Grid, to_pixels

GREY = 0.45
"""Value of the rest of the square, about ImageNet's mean."""


def inside(height: int, width: int, side: int) -> tuple[int, int]:
    """Return rows and columns of the square that an image fills."""
    longer = max(height, width)
    return max(1, round(height * side / longer)), max(1, round(width * side / longer))


def sides_of(side: int, stride: int, scales: Sequence[float]) -> list[int]:
    """Return the sides of a square at several scales, pixels: whole numbers of strides, at least one."""
    return [max(stride, round(side * scale / stride) * stride) for scale in scales]


def image_on_square(photo: np.ndarray, side: int) -> np.ndarray:
    """Return (3, side, side) float32 in [0, 1] of (h, w, 3) uint8."""
    h, w = inside(*photo.shape[:2], side=side)
    method = cv2.INTER_AREA if h < photo.shape[0] else cv2.INTER_LINEAR
    square = np.full((side, side, 3), GREY, np.float32)
    square[:h, :w] = cv2.resize(photo, (w, h), interpolation=method).astype(np.float32) / 255
    return square.transpose(2, 0, 1)


def mask_on_square(mask: np.ndarray, side: int) -> np.ndarray:
    """Return (side, side) uint8 of an (h, w) mask; the rest is unknown."""
    h, w = inside(*mask.shape, side=side)
    square = np.full((side, side), UNKNOWN, np.uint8)
    square[:h, :w] = cv2.resize(mask, (w, h), interpolation=cv2.INTER_NEAREST)
    return square


def from_square(
    scores: Float[Tensor, "c y x"], height: int, width: int, side: int, grid: Grid | None = None
) -> Float[Tensor, "c height width"]:
    """Return scores at the nodes of a square as those of the image's pixels, bilinear.

    `grid`: of the nodes; None: they are cells.
    """
    h, w = inside(height, width, side)
    square = to_pixels(scores[None], grid, (side, side))
    return F.interpolate(square[:, :, :h, :w], (height, width), mode="bilinear", align_corners=False)[0]


def mask_of_class(truth: np.ndarray, cls: int) -> np.ndarray:
    """Return (h, w) uint8: 1 where the class is, 255 where truth is open, else 0."""
    return np.where(truth == UNKNOWN, UNKNOWN, truth == cls).astype(np.uint8)
