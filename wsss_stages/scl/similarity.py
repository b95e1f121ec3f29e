"""Cosines of a query with the means of a support's object and of its surroundings, without training."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from wsss_stages.scl.prototypes import masked_mean


def prototypes(
    middle: Float[Tensor, "b m y x"], M_s: Bool[Tensor, "b y x"], known: Bool[Tensor, "b y x"]
) -> Float[Tensor, "b 2 m"]:
    """Return means of the background and of the foreground at the known nodes, zero where there is none, of length 1."""
    means = [masked_mean(middle, M) for M in (known & ~M_s, known & M_s)]
    return F.normalize(torch.stack(means, dim=1), dim=2)


def joined(P: Float[Tensor, "K 2 m"]) -> Float[Tensor, "1 2 m"]:
    """Return the prototypes of K supports as one pair: their mean, of length 1 again."""
    return F.normalize(P.mean(dim=0, keepdim=True), dim=2)


def similarity(middle: Float[Tensor, "b m y x"], P: Float[Tensor, "k 2 m"]) -> Float[Tensor, "k y x"]:
    """Return at every node the cosine with the foreground less that with the background, in [-2, 2]; 0 where P is.

    The nodes are those of as many images as there are pairs P, or of one image for all pairs.
    """
    nodes = F.normalize(middle, dim=1).expand(len(P), -1, -1, -1)
    background, foreground = torch.einsum("bmyx,bnm->bnyx", nodes, P).unbind(dim=1)
    return foreground - background
