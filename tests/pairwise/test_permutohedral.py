import torch

from wsss_stages.pairwise.permutohedral import PermutohedralLattice, _simplex


def test_close_to_the_exact_gaussian():
    torch.manual_seed(0)
    features = torch.rand(400, 3) * 4
    values = torch.rand(400, 2)
    distance = torch.cdist(features, features) ** 2
    exact = torch.exp(-distance / 2) @ values
    found = PermutohedralLattice(features).filter(values)
    exact, found = exact / exact.sum(0), found / found.sum(0)
    assert ((found - exact).norm() / exact.norm()) < 0.1


def test_barycentric_weights_sum_to_one_and_are_positive():
    torch.manual_seed(0)
    _, weights = _simplex(torch.randn(1000, 5) * 10)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(1000), atol=1e-4, rtol=0)
    assert weights.min() > -1e-4


def test_filter_is_linear_and_passes_gradients():
    torch.manual_seed(0)
    lattice = PermutohedralLattice(torch.randn(50, 2))
    a, b = torch.randn(50, 3), torch.randn(50, 3)
    torch.testing.assert_close(
        lattice.filter(a + 2 * b), lattice.filter(a) + 2 * lattice.filter(b), atol=1e-4, rtol=1e-4
    )
    a.requires_grad_()
    (lattice.filter(a) * b).sum().backward()
    numeric = ((lattice.filter(a + 1e-2 * b) - lattice.filter(a)) * b).sum() / 1e-2
    torch.testing.assert_close((a.grad * b).sum(), numeric, atol=1e-2, rtol=1e-2)


def test_transposed_is_the_transpose():
    torch.manual_seed(0)
    lattice = PermutohedralLattice(2 * torch.randn(60, 3, dtype=torch.float64))
    ones = torch.eye(60, dtype=torch.float64)
    matrix = lattice.filter(ones)
    torch.testing.assert_close(lattice.transposed(ones), matrix.T)
    assert (matrix - matrix.T).abs().max() > 1e-4  # it is not its own
