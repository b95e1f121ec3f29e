"""Mean field of a dense CRF on a CPU: the algorithm of `mean_field`, in loops that keep a few points' work in the cache."""

import functools
from dataclasses import dataclass, replace

import numba
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wsss_stages.pairwise import lattice_kernels as kernels
from wsss_stages.pairwise.compiled import THREADS
from wsss_stages.pairwise.simd import WIDTH

BANDS = 2
"""Parts of the points that can be worked on at once; fixed, so that the number of threads does not change the result."""

ABSENT = -1e4
"""Logarithm of the probability of labels that only fill up a row."""


@dataclass
class CompiledLattice:
    """A permutohedral lattice over n points, its weights with the kernel's weight and symmetric normalisation in them."""

    vertex: np.ndarray
    """(n, d+1) uint32, the vertices of each point's simplex."""
    weights: np.ndarray
    """(n, d+1) float32, of each vertex for the point."""
    neighbours: np.ndarray
    """(d+1, 2, m) uint32, on both sides of each of the m vertices along each direction; m where there is none."""

    @classmethod
    def from_features(cls, features: np.ndarray, weight: float) -> "CompiledLattice":
        """Return the lattice of `features`: (n, d) float32 in units of the kernel's deviation."""
        n, d = features.shape
        factors = np.random.default_rng(0).integers(1, 2**64, d, dtype=np.uint64) | np.uint64(1)
        vertex, weights = np.empty((n, d + 1), np.uint32), np.empty((n, d + 1), np.float32)
        codes = kernels.find_simplices(np.ascontiguousarray(features), factors, vertex, weights)
        neighbours = kernels.find_neighbours(codes, factors)
        kernels.normalise(vertex, weights, neighbours, weight)
        return cls(vertex, weights, neighbours)

    def every(self, share: float) -> "CompiledLattice":
        """Return the lattice where only a `share` of the points is splat: each stands for 1 / `share` points."""
        return replace(self, weights=self.weights * np.float32(share**-0.5))

    def of_points(self, points: np.ndarray) -> "CompiledLattice":
        """Return the same vertices for some of the points."""
        return replace(self, vertex=self.vertex[points], weights=self.weights[points])

    @classmethod
    def none(cls, n: int) -> "CompiledLattice":
        """Return a lattice without a kernel."""
        return cls(np.empty((n, 0), np.uint32), np.empty((n, 0), np.float32), np.empty((0, 2, 0), np.uint32))

    @property
    def vertices(self) -> int:
        """Return the number of vertices in use, and one that stands for all others."""
        return self.neighbours.shape[2] + 1


@functools.lru_cache(maxsize=4)
def position_lattice(height: int, width: int, sigma: float, weight: float) -> CompiledLattice:
    """Return the lattice of pixel positions; most images of a dataset have one of few sizes."""
    y, x = np.mgrid[:height, :width].reshape(2, -1).astype(np.float32)
    return CompiledLattice.from_features(np.stack([x, y], axis=1) / np.float32(sigma), weight)


class CompiledMeanField:
    """Two lattices over n points; any number of probability maps is refined over them."""

    def __init__(self, first: CompiledLattice, second: CompiledLattice, points: np.ndarray | None = None):
        """Prepare the kernels.

        `points`: indices of the iterated points, each standing for an equal share of all (all if not given).
        """
        self.points = points
        self.all = self.some = (first, second)
        if points is not None:
            share = len(points) / len(first.vertex)
            self.all = tuple(lattice.every(share) for lattice in self.all)
            self.some = tuple(lattice.of_points(points) for lattice in self.all)

    def infer(self, log_p: Float[Tensor, "b n c"], iterations: int) -> Float[Tensor, "b n c"]:
        """Infer as `MeanField.infer`."""
        numba.set_num_threads(min(BANDS, torch.get_num_threads(), THREADS))
        maps = 2 if log_p.shape[2] <= WIDTH // 2 else 1
        return torch.cat([self._refine(some, iterations) for some in log_p.split(maps)])

    def _refine(self, log_p: Float[Tensor, "m n c"], iterations: int) -> Float[Tensor, "m n c"]:
        """Refine one map, or two that share a row of 8."""
        maps, n, c = log_p.shape
        width = -(-maps * c // WIDTH) * WIDTH
        padded = torch.full((n, maps, width // maps), ABSENT)
        padded[:, :, :c] = log_p.transpose(0, 1)
        padded = padded.view(n, width)
        # torch's memory begins at a cache line
        tables = [torch.zeros(BANDS, lattice.vertices * 2 * width).numpy() for lattice in self.all]
        Q = torch.empty(n, width)

        def step(log_p: Tensor, lattices: tuple[CompiledLattice, ...], first: bool, last: bool) -> None:
            one, two = ((x.vertex, x.weights, table) for x, table in zip(lattices, tables, strict=True))
            kernels.mean_field_step(log_p.numpy(), *one, *two, maps == 2, first, last, Q.numpy())

        some = padded if self.points is None else padded[self.points]
        for iteration in range(iterations):
            step(some, self.some, iteration == 0, False)
            for lattice, table in zip(self.all, tables, strict=True):
                kernels.blur(table, width, lattice.neighbours)
        step(padded, self.all, iterations == 0, True)
        return Q.view(n, maps, width // maps)[:, :, :c].transpose(0, 1)
