"""Class activation maps to scores and labels (Eqs. 2.2-2.4, 3.1)."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from wsss_stages.nets.grid import Grid, to_pixels


def multi_scale(
    cam_of,
    images: Tensor,
    classes: list[Tensor],
    scales: Sequence[float],
    flip: bool,
    stride: int,
    grid: Grid | None = None,
) -> list[Tensor]:
    """Return P_fg of Eqs. 2.1-2.3 of each image: the mean over scales and mirror of rectified CAMs, over its maximum.

    Args:
        cam_of: network's map from (b, 3, h, w) normalised RGB to rectified activations (b, N, y, x).
        images: (b, 3, h, w), of one size.  classes: of each, (k,) of those present, 1..N.
        stride: pixels of a cell of the result.  grid: of the network's nodes; None: they are cells.

    Returns: for each (k, ceil(h / stride), ceil(w / stride)) in [0, 1].
    """
    b, _, height, width = images.shape
    size = (-(-height // stride), -(-width // stride))
    totals = [torch.zeros(len(present), *size, device=images.device) for present in classes]
    if not any(len(present) for present in classes):
        return totals
    for scale in scales:
        scaled_size = (max(32, round(height * scale)), max(32, round(width * scale)))
        scaled = F.interpolate(images, scaled_size, mode="bilinear", align_corners=False)
        cams = cam_of(torch.cat([scaled, scaled.flip(3)]) if flip else scaled).float()
        for i, (total, present) in enumerate(zip(totals, classes, strict=True)):
            if len(present):
                of_image = to_pixels(cams[i::b, present - 1], grid, size, scaled_size)
                total += (of_image[0] + of_image[1].flip(2)) / 2 if flip else of_image[0]
    return [total / total.amax(dim=(1, 2), keepdim=True).clamp(min=1e-5) if len(total) else total for total in totals]


def enlarge(cam: np.ndarray, height: int, width: int) -> np.ndarray:
    """Enlarge (k, y, x) at feature stride to (k, height, width) float32, bilinear."""
    if len(cam) == 0:
        return np.zeros((0, height, width), np.float32)
    rows = [cv2.resize(row.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) for row in cam]
    return np.stack(rows)


def normalise(cam: np.ndarray, how: str) -> np.ndarray:
    """Normalise each class over its maximum (`max`, Eq. 2.3) or min-max with a margin of 1e-5 (`minmax`, the
    released code).
    """
    if len(cam) == 0:
        return cam
    high = cam.max(axis=(1, 2), keepdims=True)
    if how == "max":
        return cam / np.maximum(high, 1e-5)
    low = cam.min(axis=(1, 2), keepdims=True)
    return np.where(cam < low + 1e-5, 0, (cam - low - 1e-5) / (high - low + 1e-5))


def with_background(cam: np.ndarray, gamma: float) -> np.ndarray:
    """Return scores (1 + k, h, w) with P_bg = (1 - max P_fg)^gamma first (Eq. 2.4 in the reading of the released code)."""
    strongest = cam.max(axis=0) if len(cam) else np.zeros(cam.shape[1:], np.float32)
    return np.concatenate([((1 - strongest) ** gamma)[None], cam])
