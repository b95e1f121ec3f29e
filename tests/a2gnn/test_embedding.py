"""X W of Eq. 3.16 without the zeros of X: product and gradient as by matrices, and when it is chosen."""

import pytest
import torch

from wsss_stages.a2gnn.embedding import Dense, Sparse, embedding


def features(kept, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    X = torch.rand(2, 13, 21, generator=generator, dtype=dtype) * (torch.rand(2, 13, 21, generator=generator) < kept)
    X[0, 4], X[1, :, 7] = 0, 0  # a node and a channel of nothing
    return X


@pytest.mark.parametrize("hidden", [1, 32, 50])
def test_sparse_is_the_product_with_its_gradient(hidden):
    X = features(0.2)
    W, aim = torch.randn(2, 21, hidden), torch.randn(2, 13, hidden)
    results = []
    for multiply in (Sparse(X, hidden), Dense(X)):
        weights = W.clone().requires_grad_()
        out = multiply(weights)
        (out * aim).sum().backward()
        results.append((out.detach(), weights.grad))
    for ours, plain in zip(*results, strict=True):
        torch.testing.assert_close(ours, plain)


def test_sparse_is_for_mostly_zeros_in_float32_on_a_cpu():
    assert isinstance(embedding(features(0.2), 8), Sparse)
    assert isinstance(embedding(features(0.9), 8), Dense)
    assert isinstance(embedding(features(0.2, torch.float64), 8), Dense)
