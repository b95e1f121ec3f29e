"""Labels of pixels from logits at nodes: up to full size, with the certainty of boxes and a share of GrabCut."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from wsss_stages.nets.grid import Grid, to_pixels

SURE = 0.9
"""Share of a label in its probability, where nothing but labels is known."""


def probabilities(logits: Float[Tensor, "c y x"], grid: Grid, height: int, width: int) -> Float[Tensor, "c h w"]:
    """Return O of Eq. 3.19 at full size: logits at the pixels, the padding cut off, softmax over classes."""
    return enlarged(logits, grid, height, width).softmax(dim=0)


def enlarged(at_nodes: Float[Tensor, "c y x"], grid: Grid, height: int, width: int) -> Float[Tensor, "c h w"]:
    """Return maps at the pixels, bilinear, the padding cut off."""
    return to_pixels(at_nodes[None], grid, (height, width))[0]


def only_where_allowed(P: Float[Tensor, "c h w"], allowed: Bool[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
    """Set classes to 0 where they cannot be and scale the others up; background is always allowed."""
    return normalised(P * allowed)


def normalised(P: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
    """Return P summing to 1 over classes; background where all are 0."""
    background = F.one_hot(torch.zeros((), dtype=torch.long), len(P)).to(P)[:, None, None]
    total = P.sum(dim=0, keepdim=True)
    return torch.where(total > 1e-12, P / total.clamp(min=1e-12), background)


def sure(labels: Tensor, rows: int) -> Float[Tensor, "c h w"]:
    """Return probabilities of labels: SURE for the label where one is known, the rest shared by the others; all alike where none is.

    Args:
        labels: (h, w) rows of the result, -1 unknown.  rows: c.
    """
    return mix(torch.full((rows, *labels.shape), 1 / rows), labels, SURE)


def mix(P: Float[Tensor, "c h w"], labels: Tensor, share: float) -> Float[Tensor, "c h w"]:
    """Return (1 - share) P + share of the labels' one-hot, where they are known.

    Args:
        labels: (h, w) rows of P, -1 unknown.
    """
    known = (labels >= 0).unsqueeze(0)
    certain = labels.unsqueeze(0) == torch.arange(len(P), device=P.device).view(-1, 1, 1)
    return torch.where(known, (1 - share) * P + share * certain, P)
