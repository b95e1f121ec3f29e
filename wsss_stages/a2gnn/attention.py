"""Affinity attention on a grid (Eqs. 3.17-3.18): every node sees its window, many images at once."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from wsss_stages.pairwise.array_checks import FLOATING, check_tensors, type_of
from wsss_stages.pairwise.products import Products, products

NEVER = -1e4
"""Score of nodes that are not connected; their share in a softmax is exactly 0."""


class Edges:
    """Edges E of b images (Eq. 3.14), laid out once for the products of attention: the term β E_ij of Eq. 3.18.

    Shapes: E (b, n, h, w) for the n offsets (dy, dx) of a window, in [0, 1].

    Raises: ValueError for E of other axes or type, or with other neighbours than the window's.

    >>> import torch
    >>> from wsss_stages.pairwise.windows import offsets
    >>> Edges(torch.ones(2, 9, 4, 5), offsets(1, "square"), beta=10.0).sizes
    {'b': 2, 'n': 9, 'h': 4, 'w': 5}
    """

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
            by: how to compute; by default the fastest on the device.
        """
        check_tensors("Edges", {"n": len(window)}, E=(E, "b n h w", FLOATING))
        self.sizes, self.device, self.types = dict(zip("bnhw", E.shape, strict=True)), E.device, (type_of(E),)
        self.products = by or products((E.shape[2], E.shape[3]), window, E)
        found = self.products.layout(E)
        self.alike = torch.where(found > 0, beta * found, NEVER)
        """Second term of Eq. 3.18 where the cosine is above 0."""
        self.unlike = torch.where(found > 0, 0.0, NEVER)
        """And where it is not."""


def affinity_attention(H: Float[Tensor, "b h w d"], w: Float[Tensor, "b"], edges: Edges) -> Float[Tensor, "b h w d"]:
    r"""Return :math:`H^{l+1} = P^l H^l` (Eq. 3.17), with P^l the softmax over the connected nodes S(i) of

    .. math:: w^l \cos(H_i, H_j) + \beta\,[\cos(H_i, H_j) > 0]\,E_{ij} \quad\text{(Eq. 3.18)}

    Args:
        H: node features on the grid of each image.  w: w^l, one per image (one network per image).

    Raises ValueError for H or w of other sizes, type or device than the edges'.
    """
    wanted = {"H": (H, "b h w d", edges.types), "w": (w, "b", edges.types)}
    check_tensors("affinity_attention", edges.sizes, edges.device, **wanted)
    cos = _Cosine.apply(H, edges.products)
    scores = torch.addcmul(torch.where(cos > 0, edges.alike, edges.unlike), cos, w.view(-1, 1, 1, 1))
    return _Gather.apply(scores.softmax(dim=3), H, edges.products)


class _Cosine(torch.autograd.Function):
    """cos(H_i, H_j) for all neighbours j of i; 0 for a vector of zeros, with no gradient."""

    @staticmethod
    def forward(ctx, H: Tensor, by: Products) -> Tensor:
        n = H.norm(dim=3, keepdim=True)
        inverse = (n > 1e-7) / n.clamp(min=1e-7)
        u = H * inverse
        ctx.save_for_backward(u, inverse)
        ctx.by = by
        return by.dot_self(u)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        u, inverse = ctx.saved_tensors
        of_u = ctx.by.gather_both(gradient, u)
        along = torch.einsum("bhwd,bhwd->bhw", of_u, u).unsqueeze(3)
        return of_u.addcmul_(u, along, value=-1).mul_(inverse), None


class _Gather(torch.autograd.Function):
    """Sum over the neighbours j of P_ij H_j."""

    @staticmethod
    def forward(ctx, P: Tensor, H: Tensor, by: Products) -> Tensor:
        ctx.save_for_backward(P, H)
        ctx.by = by
        return by.gather(P, H)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        P, H = ctx.saved_tensors
        return ctx.by.dot(gradient, H), ctx.by.gather_back(P, gradient), None
