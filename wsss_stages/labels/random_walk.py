"""Random walk over edges (Ahn and Kwak 2018), the thesis's baseline for spreading labels."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from wsss_stages.pairwise.array_checks import FLOATING, check_tensors
from wsss_stages.pairwise.windows import neighbours


def random_walk(
    P: Float[Tensor, "c h w"],
    E: Float[Tensor, "n h w"],
    window: list[tuple[int, int]],
    power: float,
    steps: int,
    held: Bool[Tensor, "h w"] | None = None,
) -> Float[Tensor, "c h w"]:
    """Return the scores after `steps` steps: each step a node takes the mean of its neighbours, weighted by E^power.

    Nodes that are `held` keep the scores that they start with; without, labels decay into each other.

    Raises ValueError for tensors of other axes, sizes, types or devices, and for E with other neighbours than the window's.
    """
    check_tensors("random_walk", {"n": len(window)}, P=(P, "c h w", FLOATING), E=(E, "n h w", FLOATING))
    T = E**power
    T = T / T.sum(dim=0, keepdim=True).clamp(min=1e-12)
    start = P
    for _ in range(steps):
        P = (neighbours(P, window, 0.0) * T.unsqueeze(1)).sum(dim=0)
        P = P if held is None else torch.where(held, start, P)
    return P


def one_hot(labels: Tensor, classes: Tensor) -> Float[Tensor, "c h w"]:
    """Return (h, w) labels as one row per entry of `classes`; an unknown node is 0 in all."""
    return (labels.unsqueeze(0) == classes.view(-1, 1, 1)).float()
