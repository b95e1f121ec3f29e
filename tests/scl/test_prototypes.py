"""Masks at the nodes and means under them, read off Eq. 5.1 in plain loops."""

import numpy as np
import torch

from wsss_stages.nets.grid import Grid
from wsss_stages.scl.prototypes import at_nodes, masked_mean, spread


def eq_5_1(F_s, M_s):
    d, y, x = F_s.shape
    total, area = torch.zeros(d), 0
    for i in np.ndindex(y, x):
        if M_s[i]:
            total, area = total + F_s[:, *i], area + 1
    return total / area if area else total


def test_the_mean_of_the_foreground():
    F_s, M = torch.randn(3, 4, 5, 6), torch.rand(3, 5, 6) < 0.3
    M[2] = False
    found = masked_mean(F_s, M)
    torch.testing.assert_close(found, torch.stack([eq_5_1(*pair) for pair in zip(F_s, M, strict=True)]))
    assert (found[2] == 0).all()


def test_a_cell_is_foreground_if_half_of_it_is_and_known_if_half_of_it_is():
    mask = torch.zeros(1, 4, 6, dtype=torch.uint8)
    mask[0, :2, :2] = 1
    mask[0, :2, 2] = 1
    mask[0, 0, 4] = 1
    mask[0, 2:, :2] = 255
    mask[0, 2, 2:4] = 255
    mask[0, 2:, 5] = mask[0, 2, 4] = 255
    M, known = at_nodes(mask, (2, 3))
    assert M.tolist() == [[[True, True, False], [False, False, False]]]
    assert known.tolist() == [[[True, True, True], [False, True, False]]]


def test_nodes_of_a_grid_have_the_means_of_the_pixels_nearest_to_them():
    """Node k lies at pixel 2 k; of two nodes as near the later has the pixel."""
    mask = torch.zeros(1, 1, 6, dtype=torch.uint8)
    mask[0, 0, [1, 2, 5]] = 1
    M, _ = at_nodes(mask, (1, 3), Grid(2, 0.0))
    nearest = [[p for p in range(6) if min(range(3), key=lambda k: (abs(2 * k - p), -k)) == node] for node in range(3)]
    assert M[0, 0].tolist() == [sum(mask[0, 0, p].item() for p in pixels) / len(pixels) >= 0.5 for pixels in nearest]
    assert nearest == [[0], [1, 2], [3, 4, 5]]


def test_cells_and_the_grid_of_their_centres_are_one():
    mask = torch.randint(0, 2, (2, 8, 12), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    for one, other in zip(at_nodes(mask, (2, 3)), at_nodes(mask, (2, 3), Grid.cells(4)), strict=True):
        assert torch.equal(one, other)


def test_an_object_smaller_than_a_cell_keeps_its_best_cell():
    mask = torch.zeros(2, 8, 8, dtype=torch.uint8)
    mask[0, 5, 5:7] = 1
    mask[0, 0, 0] = 1
    M, _ = at_nodes(mask, (2, 2))
    assert M[0].tolist() == [[False, False], [False, True]] and not M[1].any()


def test_vectors_stand_at_every_node_behind_the_features():
    F_s, V = torch.randn(2, 3, 4, 5), torch.randn(2, 2, 3)
    found = spread(F_s, V)
    assert found.shape == (2, 9, 4, 5) and torch.equal(found[:, :3], F_s)
    for i in np.ndindex(4, 5):
        assert torch.equal(found[:, 3:, *i], torch.cat([V[:, 0], V[:, 1]], dim=1))
