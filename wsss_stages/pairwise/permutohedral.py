"""Gaussian filtering in d dimensions on the permutohedral lattice (Adams, Baek, Davis 2010)."""

import copy

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor


class PermutohedralLattice:
    r"""Filter with :math:`\exp(-\|f_i - f_j\|^2 / 2)`, up to the lattice's blur; built once, used for any values.

    Every point splats onto the d + 1 vertices of its simplex by barycentric weights, the vertices are blurred with
    (1/2, 1, 1/2) along d + 1 directions, and points slice the result with the same weights. All three steps are
    weighted sums of few rows, so each is one `embedding_bag`: no sorting or hashing after the lattice is built,
    and gradients are autograd's.
    """

    def __init__(self, features: Float[Tensor, "n d"]):
        d = features.shape[1]
        device = features.device
        keys, weights = _simplex(features)
        low = keys.amin(dim=(0, 1)) - 2 * (d + 1)
        span = keys.amax(dim=(0, 1)) + 2 * (d + 1) - low + 1
        place = torch.cat([torch.ones(1, dtype=torch.long, device=device), span[:-1].cumprod(0)])
        code = ((keys - low) * place).sum(dim=2)  # n d+1: one integer a vertex
        vertices, vertex = torch.unique(code, return_inverse=True)
        self._place(vertex, weights, len(vertices))
        self.neighbours = _neighbours(vertices, place, d)
        self.scale = 1 / (1 + 2.0**-d)

    def filter(self, values: Float[Tensor, "n c"]) -> Float[Tensor, "n c"]:
        """Return the sum over all points, the point itself too, of kernel times value; not normalised."""
        return self.slice(self.blurred(values))

    def transposed(self, values: Float[Tensor, "n c"]) -> Float[Tensor, "n c"]:
        """Return the transpose of `filter`, exactly: directions in turn do not quite commute where vertices are missing."""
        return self.slice(self.blurred(values, backwards=True))

    def blurred(self, values: Float[Tensor, "n c"], backwards: bool = False) -> Float[Tensor, "v c"]:
        """Return the blurred sums at the vertices."""
        rows = F.embedding_bag(
            self.splat_points, values, self.splat_starts, mode="sum", per_sample_weights=self.splat_weights
        )
        for neighbours in reversed(self.neighbours) if backwards else self.neighbours:
            padded = F.pad(rows, (0, 0, 0, 1))  # the last row, zero, stands for vertices that do not exist
            rows = padded[:-1] + 0.5 * (padded[neighbours[0]] + padded[neighbours[1]])
        return rows

    def slice(self, rows: Float[Tensor, "v c"]) -> Float[Tensor, "n c"]:
        """Interpolate from the vertices to the points."""
        return self.scale * F.embedding_bag(self.vertex, rows, mode="sum", per_sample_weights=self.weights)

    def of_points(self, points: Int[Tensor, "m"]) -> "PermutohedralLattice":
        """Return the same vertices for some of the points."""
        some = copy.copy(self)
        some._place(self.vertex[points], self.weights[points], len(self.splat_starts))
        return some

    def _place(self, vertex: Int[Tensor, "n k"], weights: Float[Tensor, "n k"], vertices: int) -> None:
        order = vertex.flatten().argsort(stable=True)
        self.vertex, self.weights = vertex, weights
        self.splat_points = order // vertex.shape[1]
        self.splat_weights = weights.flatten()[order]
        counts = torch.bincount(vertex.flatten(), minlength=vertices)
        self.splat_starts = counts.cumsum(0) - counts


def _simplex(features: Tensor) -> tuple[Tensor, Tensor]:
    """Return lattice coordinates (n, d+1, d) and barycentric weights (n, d+1) of the simplex around each point."""
    n, d = features.shape
    device = features.device
    index = torch.arange(d, device=device)
    scaled = features * ((d + 1) * (2 / 3) ** 0.5 / ((index + 1.0) * (index + 2.0)).sqrt())
    # onto the hyperplane of zero sum: e_0 = sum, e_i = sum_{j >= i} - i f_{i-1}
    tail = F.pad(scaled.flip(1).cumsum(1).flip(1), (0, 1))
    steps = torch.cat([features.new_zeros(n, 1), scaled * (index + 1)], dim=1)
    elevated = tail - steps  # n d+1

    nearest = torch.round(elevated / (d + 1))
    excess = nearest.sum(dim=1, keepdim=True).long()
    nearest = nearest * (d + 1)
    differences = elevated - nearest
    larger = differences[:, None, :] > differences[:, :, None]  # n i j: j is larger than i
    tie = differences[:, None, :] == differences[:, :, None]
    before = torch.arange(d + 1, device=device)
    rank = (larger | (tie & (before[None, :] < before[:, None]))).sum(dim=2) + excess
    below, above = rank < 0, rank > d
    rank = rank + (d + 1) * (below.long() - above.long())
    nearest = nearest + (d + 1) * (below.to(features) - above.to(features))

    offsets = (elevated - nearest) / (d + 1)
    barycentric = features.new_zeros(n, d + 2)
    barycentric.scatter_add_(1, d - rank, offsets)
    barycentric.scatter_add_(1, d + 1 - rank, -offsets)
    weights = torch.cat([barycentric[:, :1] + 1 + barycentric[:, d + 1 :], barycentric[:, 1 : d + 1]], dim=1)

    corner = torch.arange(d + 1, device=device)
    shift = corner[:, None] - (d + 1) * (corner[:, None] + corner[None, :] > d).long()  # corner, rank
    keys = nearest.long()[:, None, :d] + shift[corner[None, :, None], rank[:, None, :d]]
    return keys, weights


def _neighbours(vertices: Tensor, place: Tensor, d: int) -> list[Tensor]:
    """Return for each of the d + 1 directions rows (2, m) of the vertices on both sides; m where there is none."""
    pairs = []
    for direction in range(d + 1):
        step = torch.ones(d, dtype=torch.long, device=vertices.device)
        if direction < d:
            step[direction] -= d + 1
        sides = torch.stack([vertices - (step * place).sum(), vertices + (step * place).sum()])
        found = torch.searchsorted(vertices, sides).clamp(max=len(vertices) - 1)
        pairs.append(torch.where(vertices[found] == sides, found, len(vertices)))
    return pairs
