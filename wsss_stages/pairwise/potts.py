"""Potts energy over a gated window: neighbours that look alike should agree (Eq. 3.22)."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from wsss_stages.pairwise.windows import neighbours


class _Agreement(torch.autograd.Function):
    """Sum over ordered pairs of K(i,j) P(i)·P(j); its gradient is twice the message Σ_j K(i,j) P(j)."""

    @staticmethod
    def forward(ctx, P: Tensor, K: Tensor, window: tuple[tuple[int, int], ...]) -> Tensor:
        message = (neighbours(P, list(window), 0.0) * K.transpose(0, 1).unsqueeze(2)).sum(dim=0)
        ctx.save_for_backward(message)
        return (P * message).sum(dim=(1, 2, 3))

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        (message,) = ctx.saved_tensors
        return 2 * gradient.view(-1, 1, 1, 1) * message, None, None


def potts_energy(
    P: Float[Tensor, "b c h w"], K: Float[Tensor, "b n h w"], window: list[tuple[int, int]], nodes: Float[Tensor, "b"]
) -> Float[Tensor, "b"]:
    r"""Sum over ordered pairs of :math:`K(i,j)\,(1 - \sum_c P^c(i) P^c(j))` over the number of nodes, per image.

    Eq. 3.22 as printed sums over all pairs of classes and is a constant; this is the form with i ≠ j (Deviations).

    Args:
        P: class probabilities, summing to 1 over c.
        K: symmetric kernel of each node with the n neighbours of a window; 0 for itself and where there is no
            neighbour. Carries no gradient.
        nodes: number of nodes of each image, without padding.
    """
    return (K.sum(dim=(1, 2, 3)) - _Agreement.apply(P, K, tuple(window))) / nodes
