"""Potts energy over a gated window: neighbours that look alike should agree (Eq. 3.22)."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from wsss_stages.pairwise.array_checks import FLOATING, check_tensors, type_of
from wsss_stages.pairwise.products import Products, products


class Potts:
    """The energy of b images; their kernel is laid out once for all evaluations."""

    def __init__(self, K: Float[Tensor, "b n h w"], window: list[tuple[int, int]], nodes: Float[Tensor, "b"]):
        """
        Args:
            K: symmetric kernel of each node with the n neighbours of a window; 0 for itself and where there is no
                neighbour. Carries no gradient.
            nodes: number of nodes of each image, without padding.

        Raises ValueError for K or `nodes` of other axes or type, or with other neighbours than the window's.
        """
        check_tensors("Potts", {"n": len(window)}, K=(K, "b n h w", FLOATING), nodes=(nodes, "b", FLOATING))
        self.sizes, self.device, self.types = dict(zip("bnhw", K.shape, strict=True)), K.device, (type_of(K),)
        self.products = products((K.shape[2], K.shape[3]), window, K)
        self.K = self.products.layout(K)
        self.total, self.nodes = K.sum(dim=(1, 2, 3)), nodes

    def energy(self, P: Float[Tensor, "b h w c"]) -> Float[Tensor, "b"]:
        r"""Return the sum over ordered pairs of :math:`K(i,j)\,(1 - \sum_c P^c(i) P^c(j))` over the number of nodes, per image.

        Eq. 3.22 as printed sums over all pairs of classes and is a constant; this is the form with i ≠ j (Deviations).
        `P`: class probabilities, summing to 1 over c. Raises ValueError for P of other sizes, type or device than the kernel's.
        """
        check_tensors("Potts.energy", self.sizes, self.device, P=(P, "b h w c", self.types))
        return (self.total - _Agreement.apply(P, self.K, self.products)) / self.nodes


class _Agreement(torch.autograd.Function):
    """Sum over ordered pairs of K(i,j) P(i)·P(j); its gradient is twice the message Σ_j K(i,j) P(j)."""

    @staticmethod
    def forward(ctx, P: Tensor, K: Tensor, by: Products) -> Tensor:
        message = by.gather(K, P)
        ctx.save_for_backward(message)
        return (P * message).sum(dim=(1, 2, 3))

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        (message,) = ctx.saved_tensors
        return 2 * gradient.view(-1, 1, 1, 1) * message, None, None
