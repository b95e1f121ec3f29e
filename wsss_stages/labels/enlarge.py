"""Probabilities of all classes to those of an image's, and at working size to labels at the photograph's."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

NUMBERS = 4_000_000
"""Probabilities enlarged at once, about; bounds memory."""


def among(P: Float[Tensor, "c h w"], classes: list[int]) -> Float[Tensor, "k h w"]:
    """Probabilities of `classes` alone, summing to 1."""
    kept = P[classes].clamp(min=torch.finfo(P.dtype).tiny)
    return kept / kept.sum(dim=0)


def most_likely(
    P: Float[Tensor, "c y x"], height: int, width: int
) -> tuple[Int[Tensor, "height width"], Float[Tensor, "height width"]]:
    """Row of the largest probability at every pixel of a height x width image, and that probability; bilinear."""
    c, h, w = P.shape
    if (h, w) == (height, width):
        best = P.max(dim=0)
        return best.indices, best.values
    middle = ((torch.arange(height, device=P.device) + 0.5) * (h / height) - 0.5).clamp(0, h - 1)
    above = middle.floor().long()
    share = (middle - above).view(-1, 1)
    below = (above + 1).clamp(max=h - 1)
    rows = torch.empty(height, width, dtype=torch.long, device=P.device)
    values = torch.empty(height, width, dtype=P.dtype, device=P.device)
    for band in torch.arange(height, device=P.device).split(max(1, NUMBERS // (c * width))):
        lines = P[:, above[band]] * (1 - share[band]) + P[:, below[band]] * share[band]
        wide = F.interpolate(lines[None], (len(band), width), mode="bilinear", align_corners=False)[0]
        values[band], rows[band] = wide.max(dim=0)
    return rows, values
