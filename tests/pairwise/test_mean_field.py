"""Compiled mean field against the same in torch."""

import numpy as np
import pytest
import torch

from wsss_stages.pairwise import lattice_kernels
from wsss_stages.pairwise.compiled_mean_field import BANDS, CompiledLattice, CompiledMeanField, position_lattice
from wsss_stages.pairwise.mean_field import MeanField


def features(n: int, d: int, seed: int) -> np.ndarray:
    """Points in clumps, so that they share vertices; some coordinates are negative."""
    rng = np.random.default_rng(seed)
    return (rng.integers(-2, 3, (n, d)) + rng.normal(0, 0.3, (n, d))).astype(np.float32)


def unary(b: int, n: int, c: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(c)
    return (2 * torch.randn(b, n, c, generator=generator)).log_softmax(dim=2)


@pytest.mark.parametrize("classes", [2, 4, 5, 8, 9, 21])
def test_compiled_is_torch(classes):
    n, kernels = 700, [(3.0, features(700, 2, 0)), (5.0, features(700, 5, 1))]
    in_torch = MeanField([(w, torch.from_numpy(f)) for w, f in kernels])
    compiled = CompiledMeanField(*[CompiledLattice.from_features(f, w) for w, f in kernels])
    log_p = unary(3, n, classes)  # of few classes two maps share a row and one is left
    torch.testing.assert_close(compiled.infer(log_p, 4), in_torch.infer(log_p, 4), atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("iterations", [0, 1, 3])
def test_some_points_stand_for_all(iterations):
    """Return mean field in loops: messages come from every third point, three times as strong, and the last goes to all."""
    n, kernels = 300, [(3.0, features(300, 2, 0)), (5.0, features(300, 5, 1))]
    points = np.arange(0, n, 3)
    in_torch = MeanField([(w, torch.from_numpy(f)) for w, f in kernels], torch.from_numpy(points))
    compiled = CompiledMeanField(*[CompiledLattice.from_features(f, w) for w, f in kernels], points)
    log_p = unary(2, n, 5)
    every = MeanField([(w, torch.from_numpy(f)) for w, f in kernels])
    Q = torch.zeros_like(log_p)
    wanted = log_p.softmax(dim=2)
    for _ in range(iterations):
        Q[:, points] = 3 * wanted[:, points]
        logits = log_p.clone()
        for weight, lattice, norm in every.all:
            for i in range(len(Q)):
                logits[i] += weight * norm * lattice.filter(norm * Q[i])
        wanted = logits.softmax(dim=2)
    torch.testing.assert_close(in_torch.infer(log_p, iterations), wanted, atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(compiled.infer(log_p, iterations), wanted, atol=2e-5, rtol=1e-4)


def test_one_kernel_or_none():
    n, kernel = 100, features(100, 5, 0)
    log_p = unary(1, n, 3)
    in_torch = MeanField([(2.0, torch.from_numpy(kernel))])
    compiled = CompiledMeanField(CompiledLattice.none(n), CompiledLattice.from_features(kernel, 2.0))
    torch.testing.assert_close(compiled.infer(log_p, 3), in_torch.infer(log_p, 3), atol=2e-5, rtol=1e-4)
    nothing = CompiledMeanField(CompiledLattice.none(n), CompiledLattice.none(n))
    torch.testing.assert_close(nothing.infer(log_p, 3), log_p.exp(), atol=1e-6, rtol=1e-5)


def test_the_number_of_threads_does_not_change_a_bit():
    compiled = CompiledMeanField(
        position_lattice(20, 30, 3.0, 3.0), CompiledLattice.from_features(features(600, 5, 0), 4.0)
    )
    log_p, threads, found = unary(1, 600, 4), torch.get_num_threads(), []
    for count in (1, BANDS):
        torch.set_num_threads(count)
        found.append(compiled.infer(log_p, 3))
    torch.set_num_threads(threads)
    assert torch.equal(*found)


def test_more_points_than_the_first_hash_table_has_room_for():
    spread = np.random.default_rng(0).normal(0, 50, (9000, 5)).astype(np.float32)
    lattice = CompiledLattice.from_features(spread, 1.0)
    assert lattice.vertices > 40_000 and lattice.vertex.max() == lattice.vertices - 2
    alone = lattice.weights.astype(np.float64)
    log_p = unary(1, 9000, 2)
    in_torch = MeanField([(1.0, torch.from_numpy(spread))])
    compiled = CompiledMeanField(lattice, CompiledLattice.none(9000))
    torch.testing.assert_close(compiled.infer(log_p, 1), in_torch.infer(log_p, 1), atol=2e-5, rtol=1e-4)
    assert (alone >= -1e-6).all()


def test_exponential():
    x = np.linspace(-39.9, 0, 1001).astype(np.float32)
    found = np.array([lattice_kernels._exp(v) for v in x])
    np.testing.assert_allclose(found, np.exp(x.astype(np.float64)), rtol=3e-6)
    assert lattice_kernels._exp(np.float32(-1e4)) == 0
