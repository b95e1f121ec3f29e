"""Windows, kernels, affinities and the Potts energy against plain loops over pairs."""

import itertools
import math

import pytest
import torch

from tests.messages import raises
from wsss_stages.pairwise import windows
from wsss_stages.pairwise.affinity import affinity, mean_absolute_difference
from wsss_stages.pairwise.kernels import colour_position
from wsss_stages.pairwise.potts import Potts


def pairs(h, w, window):
    """(number of the offset, i, j) of all ordered pairs of a window."""
    for number, (dy, dx) in enumerate(window):
        for y, x in itertools.product(range(h), range(w)):
            if 0 <= y + dy < h and 0 <= x + dx < w:
                yield number, (y, x), (y + dy, x + dx)


@pytest.mark.parametrize(
    "radius, window, count", [(4, "square", 81), (5, "disc", 81), (3, "square", 49), (1, "disc", 5)]
)
def test_windows_have_the_thesis_sizes(radius, window, count):
    full, half = windows.offsets(radius, window), windows.offsets(radius, window, half=True)
    assert len(full) == count and len(half) == (count - 1) // 2
    assert set(full) == {(0, 0), *half, *((-dy, -dx) for dy, dx in half)}
    assert windows.reach(full) == radius


def test_unknown_window_is_named():
    with raises(ValueError, "'circle' ... 'square' ... 'disc'"):
        windows.offsets(3, "circle")


def test_neighbours_look_where_the_offset_points():
    x = torch.arange(12.0).view(3, 4)
    window = windows.offsets(2, "square")
    found = windows.neighbours(x, window, -1.0)
    expected = torch.full((len(window), 3, 4), -1.0)
    for number, i, j in pairs(3, 4, window):
        expected[number, *i] = x[j]
    assert torch.equal(found, expected)


def test_kernel_is_eq_3_13_with_squared_distances():
    image, window = torch.randn(1, 3, 4, 5) * 0.1, windows.offsets(2, "disc")
    K = colour_position(image, window, 2.0, 0.1)
    expected = torch.zeros(1, len(window), 4, 5)
    for number, i, j in pairs(4, 5, window):
        if i != j:
            near = ((i[0] - j[0]) ** 2 + (i[1] - j[1]) ** 2) / (2 * 2.0**2)
            alike = float((image[0, :, *i] - image[0, :, *j]).square().sum()) / (2 * 0.1**2)
            expected[0, number, *i] = math.exp(-near - alike)
    torch.testing.assert_close(K, expected)


def test_affinity_is_eq_3_8_and_its_gradient_is_exact():
    features, window = torch.randn(2, 3, 4, 5, dtype=torch.float64), windows.offsets(1, "square", half=True)
    D = affinity(features, window)
    for number, i, j in pairs(4, 5, window):
        expected = torch.exp(-(features[:, :, *i] - features[:, :, *j]).abs().mean(dim=1))
        torch.testing.assert_close(D[:, number, *i], expected)
    features.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: mean_absolute_difference(x, window), (features,))


def test_affinity_in_blocks_of_channels_is_the_same(monkeypatch):
    features, window = torch.randn(1, 7, 6, 6), windows.offsets(2, "square")
    whole = affinity(features, window)
    monkeypatch.setattr("wsss_stages.pairwise.affinity.CACHE_NUMBERS", 72)
    torch.testing.assert_close(affinity(features, window), whole)


def test_potts_energy_is_a_sum_over_ordered_pairs_and_its_gradient_is_exact():
    P = torch.rand(2, 3, 4, 5, dtype=torch.float64).softmax(dim=1)
    window, image = windows.offsets(2, "square"), torch.randn(2, 3, 4, 5, dtype=torch.float64)
    K = colour_position(image, window, 3.0, 1.0)
    nodes = torch.full((2,), 20.0, dtype=torch.float64)
    expected = torch.zeros(2, dtype=torch.float64)
    for number, i, j in pairs(4, 5, window):
        expected += K[:, number, *i] * (1 - (P[:, :, *i] * P[:, :, *j]).sum(dim=1)) / 20
    torch.testing.assert_close(Potts(K, window, nodes).energy(P.permute(0, 2, 3, 1)), expected)
    assert torch.autograd.gradcheck(
        lambda p: Potts(K, window, nodes).energy(p.permute(0, 2, 3, 1)), (P.requires_grad_(),)
    )


def test_potts_energy_of_certain_agreement_is_zero():
    P = torch.zeros(1, 2, 6, 6)
    P[:, 1] = 1
    window = windows.offsets(2, "square")
    K = colour_position(torch.zeros(1, 3, 6, 6), window, 3.0, 1.0)
    assert Potts(K, window, torch.tensor([36.0])).energy(P.permute(0, 2, 3, 1)).item() == pytest.approx(0, abs=1e-5)
