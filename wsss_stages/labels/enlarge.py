"""Probabilities of all classes to those of an image's, and at working size to labels at the photograph's."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

NUMBERS = 4_000_000
"""Probabilities enlarged at once, about; bounds memory."""


def among(P: Float[Tensor, "c h w"], classes: list[int]) -> Float[Tensor, "k h w"]:
    """Return the probabilities of `classes` alone, summing to 1."""
    kept = P[classes].clamp(min=torch.finfo(P.dtype).tiny)
    return kept / kept.sum(dim=0)


def most_likely(
    P: Float[Tensor, "c y x"], height: int, width: int
) -> tuple[Int[Tensor, "height width"], Float[Tensor, "height width"]]:
    """Return the row of the largest probability at every pixel of a height x width image, and that probability;
    bilinear.
    """
    c, h, w = P.shape
    if (h, w) == (height, width):
        best = P.max(dim=0)
        return best.indices, best.values
    above, below, share = _between(h, height, P.device)
    share = share.view(-1, 1)
    rows = torch.empty(height, width, dtype=torch.long, device=P.device)
    values = torch.empty(height, width, dtype=P.dtype, device=P.device)
    for band in torch.arange(height, device=P.device).split(max(1, NUMBERS // (c * width))):
        lines = P[:, above[band]] * (1 - share[band]) + P[:, below[band]] * share[band]
        wide = F.interpolate(lines[None], (len(band), width), mode="bilinear", align_corners=False)[0]
        values[band], rows[band] = wide.max(dim=0)
    return rows, values


def in_window(P: Float[Tensor, "y x"], height: int, width: int, window: Sequence[int]) -> Float[Tensor, "rows columns"]:
    """Return the part x0 y0 x1 y1, half open, of P at height x width; bilinear, as `most_likely` sees it."""
    x0, y0, x1, y1 = window
    if P.shape == (height, width):
        return P[y0:y1, x0:x1]
    above, below, down = (v[y0:y1] for v in _between(P.shape[0], height, P.device))
    left, right, across = (v[x0:x1] for v in _between(P.shape[1], width, P.device))
    lines = torch.lerp(P[above], P[below], down.view(-1, 1))
    return torch.lerp(lines[:, left], lines[:, right], across)


def _between(n: int, size: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return the position of each of `size` places among n: the numbers before and after it, and the share of the
    latter.
    """
    middle = ((torch.arange(size, device=device) + 0.5) * (n / size) - 0.5).clamp(0, n - 1)
    before = middle.floor().long()
    return before, (before + 1).clamp(max=n - 1), middle - before
