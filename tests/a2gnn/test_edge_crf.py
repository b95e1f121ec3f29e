"""A CRF whose pairwise term is the edges: its equation by loops, and what it does to a lonely label."""

import numpy as np
import pytest
import torch

from wsss_stages.a2gnn.edge_crf import edge_crf
from wsss_stages.pairwise import windows

WINDOW = windows.offsets(1, "square")


def loops(P, E, weight, iterations):
    """Mean field read off the page, node by node."""
    _, h, w = P.shape
    nodes = [(y, x) for y in range(h) for x in range(w)]
    K = {
        (i, (i[0] + dy, i[1] + dx)): E[k][i]
        for k, (dy, dx) in enumerate(WINDOW)
        for i in nodes
        if (dy, dx) != (0, 0) and (i[0] + dy, i[1] + dx) in nodes
    }
    d = {i: sum(e for (a, _), e in K.items() if a == i) for i in nodes}
    Q = {i: P[:, i[0], i[1]] for i in nodes}
    for _ in range(iterations):
        new = {}
        for i in nodes:
            message = sum(e * Q[j] / np.sqrt(d[i] * d[j]) for (a, j), e in K.items() if a == i)
            score = P[:, i[0], i[1]] * np.exp(weight * message)
            new[i] = score / score.sum()
        Q = new
    return np.stack([Q[i] for i in nodes], axis=1).reshape(P.shape)


def graph(seed=0):
    """4 x 5 nodes with probabilities of three classes and symmetric edges."""
    generator = torch.Generator().manual_seed(seed)
    P = torch.rand(3, 4, 5, generator=generator).softmax(dim=0)
    F = torch.rand(1, 4, 5, generator=generator)
    E = torch.exp(-3 * (F - windows.neighbours(F, WINDOW, 0.0)).abs().sum(dim=1)) * windows.exists(4, 5, WINDOW, "cpu")
    return P, E


@pytest.mark.parametrize("weight, iterations", [(2.0, 0), (2.0, 1), (5.0, 4), (0.0, 3)])
def test_mean_field_by_loops(weight, iterations):
    P, E = graph()
    found = edge_crf(P, E, WINDOW, weight, iterations)
    np.testing.assert_allclose(found, loops(P.double().numpy(), E.double().numpy(), weight, iterations), atol=1e-5)


def test_a_lonely_label_gives_in_to_its_neighbours_unless_no_edge_leads_to_them():
    P = torch.full((2, 5, 5), 0.1)
    P[0] = 0.9
    P[:, 2, 2] = torch.tensor([0.1, 0.9])
    E = windows.exists(5, 5, WINDOW, "cpu").float()
    assert edge_crf(P, E, WINDOW, 10.0, 5).argmax(dim=0).sum() == 0
    alone = E.clone()
    alone[:, 2, 2] = 0
    assert edge_crf(P, alone, WINDOW, 10.0, 5).argmax(dim=0)[2, 2] == 1
