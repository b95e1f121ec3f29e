"""Affinity attention on a grid (Eqs. 3.17-3.18): windows in tiles, many images at once."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from wsss_stages.pairwise.tiles import Tiles
from wsss_stages.pairwise.windows import reach

CACHE_NUMBERS = 128_000
"""Backward works on scores in blocks of about this many numbers, which stay in a core's cache."""


class TiledEdges(Tiles):
    """Edges of b images, laid out for tiles of nodes."""

    def __init__(self, E: Float[Tensor, "b n h w"], window: list[tuple[int, int]], beta: float):
        """`E`: Eq. 3.14, 0 where not connected. `window`: the n offsets. `beta`: weight of E in Eq. 3.18."""
        super().__init__(tuple(E.shape[2:]), reach(window))
        found = self.spread(E, window)
        connected = found > 0
        connected |= ~connected.any(dim=3, keepdim=True)  # nodes of the padding see anything: a softmax needs something
        # exp(β (E - 1)), and the same without E for cosines not above 0; 0 where not connected
        self.near = (beta * (found - 1)).exp() * connected
        self.far = math.exp(-beta) * connected


def affinity_attention(
    H: Float[Tensor, "b h w d"], w: Float[Tensor, "b"], edges: TiledEdges
) -> Float[Tensor, "b h w d"]:
    r""":math:`H^{l+1} = P^l H^l` (Eq. 3.17), with P^l the softmax over the connected nodes S(i) of

    .. math:: w^l \cos(H_i, H_j) + \beta\,[\cos(H_i, H_j) > 0]\,E_{ij} \quad\text{(Eq. 3.18)}

    Args:
        H: node features on the grid of each image.  w: w^l, one per image (one network per image).
    """
    return _TiledAttention.apply(H, w, edges)


class _TiledAttention(torch.autograd.Function):
    r"""Forward and backward by hand: half the passes over the scores, which are what costs.

    With :math:`u = H / n` and :math:`n = \|H\|` a score is at most :math:`|w| + \beta`, known beforehand, so the softmax
    needs no search for its maximum: :math:`P_{ij} \propto e^{w \cos_{ij} - |w|}\, e^{\beta (E_{ij} - 1)}`.
    """

    @staticmethod
    def forward(ctx, H: Tensor, w: Tensor, edges: TiledEdges) -> Tensor:
        n = H.norm(dim=3, keepdim=True)
        inverse = torch.where(n > 1e-7, 1 / n, 0.0)
        u = H * inverse
        u_key, n_key = edges.halo(u), edges.halo(n).transpose(2, 3)
        u_query = edges.queries(u)
        weight = w.view(-1, 1, 1, 1)
        cos = u_query @ u_key.transpose(2, 3)
        P = (weight * cos).sub_(weight.abs()).exp_().mul_(torch.where(cos > 0, edges.near, edges.far))
        P /= P.sum(dim=3, keepdim=True)
        out = (P * n_key) @ u_key
        ctx.save_for_backward(u, inverse, weight, u_key, n_key, u_query, cos, P, out)
        ctx.edges = edges
        return edges.grid(out)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        u, inverse, weight, u_key, n_key, u_query, cos, P, out = ctx.saved_tensors
        edges, b = ctx.edges, len(u)
        g = edges.queries(gradient)
        by_key, by_query = torch.empty_like(u_key), torch.empty_like(u_query)
        by_n, by_w = torch.empty_like(n_key), torch.zeros_like(weight)
        step = max(1, CACHE_NUMBERS // cos[0, 0].numel()) if cos.device.type == "cpu" else cos.shape[1]
        for image in range(b):
            for first in range(0, cos.shape[1], step):
                part = image, slice(first, first + step)
                by_Pn = g[part] @ u_key[part].transpose(1, 2)
                by_score = by_Pn * n_key[part]
                by_score.sub_((g[part] * out[part]).sum(dim=2, keepdim=True)).mul_(P[part])
                torch.sum(by_Pn.mul_(P[part]), 1, keepdim=True, out=by_n[part])
                by_w[image] += (by_score * cos[part]).sum()
                by_cos = by_score.mul_(weight[image])
                torch.bmm((P[part] * n_key[part]).transpose(1, 2), g[part], out=by_key[part])
                by_key[part].baddbmm_(by_cos.transpose(1, 2), u_query[part])
                torch.bmm(by_cos, u_key[part], out=by_query[part])
        by_u = edges.grid(by_query) + edges.add_halos(by_key)
        by_H = inverse * (by_u - u * (u * by_u).sum(dim=3, keepdim=True))
        return by_H + u * edges.add_halos(by_n.transpose(2, 3)), by_w.view(b), None
