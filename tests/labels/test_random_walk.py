"""The random walk against a dense transition matrix."""

import torch

from wsss_stages.labels.random_walk import one_hot, random_walk
from wsss_stages.pairwise import windows


def test_walk_is_powers_of_the_transition_matrix():
    h, w, window = 4, 5, windows.offsets(1, "square")
    E = torch.rand(len(window), h, w) * windows.exists(h, w, window, "cpu")
    T = torch.zeros(h * w, h * w)
    for n, y, x in E.nonzero().tolist():
        dy, dx = window[n]
        T[y * w + x, (y + dy) * w + x + dx] = E[n, y, x] ** 2
    T = T / T.sum(dim=1, keepdim=True)
    P = torch.rand(3, h, w)
    expected = (torch.linalg.matrix_power(T, 5) @ P.view(3, -1).T).T.view(3, h, w)
    torch.testing.assert_close(random_walk(P, E, window, 2.0, 5), expected)


def test_unknown_nodes_start_with_nothing():
    rows = one_hot(torch.tensor([[0, 7, 255]]), torch.tensor([0, 7]))
    assert rows.tolist() == [[[1, 0, 0]], [[0, 1, 0]]]
