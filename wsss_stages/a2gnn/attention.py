"""Affinity attention on a grid (Eqs. 3.17-3.18): every node sees its window, many images at once."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from wsss_stages.pairwise.products import Products, products


class Edges:
    """Edges of b images, laid out for the products that attention needs."""

    def __init__(
        self,
        E: Float[Tensor, "b n h w"],
        window: list[tuple[int, int]],
        beta: float,
        by: Products | None = None,
    ):
        """
        Args:
            E: Eq. 3.14, 0 where not connected.  window: the n offsets.  beta: weight of E in Eq. 3.18.
            by: how to compute; what suits the device if not given.
        """
        self.products = by or products(tuple(E.shape[2:]), window, E.device)
        found = self.products.layout(E)
        connected = found > 0
        # exp(β (E - 1)), and the same without E for cosines not above 0; 0 where not connected
        self.near = (beta * (found - 1)).exp() * connected
        self.far = math.exp(-beta) * connected


def affinity_attention(H: Float[Tensor, "b h w d"], w: Float[Tensor, "b"], edges: Edges) -> Float[Tensor, "b h w d"]:
    r""":math:`H^{l+1} = P^l H^l` (Eq. 3.17), with P^l the softmax over the connected nodes S(i) of

    .. math:: w^l \cos(H_i, H_j) + \beta\,[\cos(H_i, H_j) > 0]\,E_{ij} \quad\text{(Eq. 3.18)}

    A node without any, as in the padding of a batch, becomes 0.

    Args:
        H: node features on the grid of each image.  w: w^l, one per image (one network per image).
    """
    return _Attention.apply(H, w, edges)


class _Attention(torch.autograd.Function):
    r"""Forward and backward by hand: few passes over the scores, and the cosine's symmetry used.

    With :math:`u = H / n` and :math:`n = \|H\|` a score is at most :math:`|w| + \beta`, known beforehand, so the softmax
    needs no search for its maximum: :math:`P_{ij} \propto e^{w \cos_{ij} - |w|}\, e^{\beta (E_{ij} - 1)}`.
    """

    @staticmethod
    def forward(ctx, H: Tensor, w: Tensor, edges: Edges) -> Tensor:
        n = H.norm(dim=3, keepdim=True)
        inverse = torch.where(n > 1e-7, 1 / n, 0.0)
        u, weight = H * inverse, w.view(-1, 1, 1, 1)
        cos = edges.products.dot_self(u)
        P = (weight * cos).sub_(weight.abs()).exp_().mul_(torch.where(cos > 0, edges.near, edges.far))
        P /= P.sum(dim=3, keepdim=True).clamp(min=1e-30)
        out = edges.products.gather(P, H)
        ctx.save_for_backward(H, u, inverse, weight, cos, P, out)
        ctx.edges = edges
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx, g: Tensor):
        H, u, inverse, weight, cos, P, out = ctx.saved_tensors
        by = ctx.edges.products
        by_score = by.dot(g, H)
        by_score.sub_(by.of_nodes((g * out).sum(dim=3, keepdim=True))).mul_(P)
        by_w = (by_score * cos).sum(dim=(1, 2, 3))
        by_u = by.gather_both(by_score.mul_(weight), u)
        by_H = by.gather_back(P, g) + inverse * (by_u - u * (u * by_u).sum(dim=3, keepdim=True))
        return by_H, by_w, None
