r"""CAMs refined by a Transformer's own attention, class by class (CLIP-ES: Lin et al., CVPR 2023, Sec. 3.4).

With :math:`D` the attention between patches after Sinkhorn's normalisation and :math:`A = (D + D^T) / 2`, a CAM :math:`M_c` becomes
:math:`A^2 (B_c \odot M_c)`, where :math:`B_c` is 1 in the boxes around what exceeds a share of its maximum.
"""

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

ROUNDS = 3
"""Normalisations of columns and rows, as the authors' code has them."""
BOX_SHARE = 0.4
"""Share of a CAM's maximum whose boxes count (the authors' threshold)."""
EIGHT = 8
"""Neighbours of a node that belong to its region."""


def transitions(attention: Float[Tensor, "n n"]) -> Float[Tensor, "n n"]:
    """Return A², the square of the symmetric part of the attention, whose columns and rows were made to sum to 1 in turn."""
    D = attention
    for _ in range(ROUNDS):
        D = D / D.sum(dim=0, keepdim=True).clamp(min=1e-12)
        D = D / D.sum(dim=1, keepdim=True).clamp(min=1e-12)
    A = (D + D.T) / 2
    return A @ A


def boxed(cam: Float[np.ndarray, "y x"]) -> Bool[np.ndarray, "y x"]:
    """Return where the boxes lie around the regions of a CAM above a share of its maximum."""
    inside = np.zeros(cam.shape, bool)
    strong = (cam >= BOX_SHARE * cam.max()) & (cam > 0)
    _, _, boxes, _ = cv2.connectedComponentsWithStats(strong.astype(np.uint8), connectivity=EIGHT)
    for x, y, w, h, _ in boxes[1:]:  # the first is the background's
        inside[y : y + h, x : x + w] = True
    return inside


def refined(cams: Float[Tensor, "k y x"], attention: Float[Tensor, "n n"]) -> Float[Tensor, "k y x"]:
    """Return the CAMs after two steps along the attention between their nodes, n = y x, from within their boxes."""
    inside = torch.from_numpy(np.stack([boxed(cam) for cam in cams.cpu().numpy()])).to(cams)
    return ((cams * inside).flatten(1) @ transitions(attention).T).view_as(cams)
