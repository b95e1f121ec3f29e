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
    r"""Return the scores after `steps` steps of :math:`P_i \leftarrow \sum_j E_{ij}^p P_j / \sum_j E_{ij}^p` (Ahn and Kwak 2018).

    Args:
        P: scores of c classes at the nodes, in any unit.
        E: edges to the n neighbours, at least 0; 0 where there is no neighbour.
        window: the n offsets (`pairwise.windows.offsets`).
        power: p; large for walks that do not cross weak edges.
        steps: 0 or more.
        held: nodes that keep the scores that they start with; without, labels decay into each other.

    Raises: ValueError for tensors of other axes, sizes, types or devices, and for E with other neighbours than the window's.

    >>> import torch
    >>> from wsss_stages.pairwise.windows import exists, offsets
    >>> window = offsets(1, "square")
    >>> E = exists(1, 3, window, "cpu").float()
    >>> random_walk(torch.tensor([[[1.0, 0.0, 0.0]]]), E, window, power=1.0, steps=1)
    tensor([[[0.5000, 0.3333, 0.0000]]])
    """
    check_tensors("random_walk", {"n": len(window)}, P=(P, "c h w", FLOATING), E=(E, "n h w", FLOATING))
    if held is not None:
        check_tensors("random_walk", {"h": P.shape[1], "w": P.shape[2]}, P.device, held=(held, "h w", ("bool",)))
    if steps < 0:
        raise ValueError(f"random_walk: found {steps} steps; wanted 0 or more")
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
