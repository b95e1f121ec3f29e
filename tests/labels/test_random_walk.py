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


def test_held_nodes_keep_their_scores_and_the_others_walk():
    h, w, window = 3, 4, windows.offsets(1, "square")
    E = torch.rand(len(window), h, w) * windows.exists(h, w, window, "cpu")
    start, held = torch.rand(2, h, w), torch.rand(h, w) < 0.4
    expected = start.clone()
    for _ in range(3):
        before = expected.clone()
        for y in range(h):
            for x in range(w):
                if held[y, x]:
                    continue
                total = sum(E[n, y, x] for n in range(len(window)))
                lines = [(E[n, y, x], y + dy, x + dx) for n, (dy, dx) in enumerate(window) if E[n, y, x] > 0]
                expected[:, y, x] = sum(e / total * before[:, v, u] for e, v, u in lines)
    torch.testing.assert_close(random_walk(start, E, window, 1.0, 3, held), expected)
