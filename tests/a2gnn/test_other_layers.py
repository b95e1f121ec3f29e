"""PyG's layers in place of ours, and superpixels as nodes, against plain loops."""

import math

import pytest
import torch

from wsss_stages.a2gnn.attention import Edges, affinity_attention
from wsss_stages.a2gnn.edge_sources.distance import likeness
from wsss_stages.a2gnn.graph import linked
from wsss_stages.a2gnn.other_layers import OtherLayers, grid_links
from wsss_stages.a2gnn.superpixel_graph import distance_weights, mean_of_parts, neighbouring, superpixel_links
from wsss_stages.pairwise import windows

WINDOW = windows.offsets(1, "square")
PARTS = torch.tensor([[0, 0, 1], [0, 2, 2]])


def grid(h=4, w=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    E = torch.rand(len(WINDOW), h, w, generator=generator) * windows.exists(h, w, WINDOW, "cpu")
    E[WINDOW.index((0, 0))] = 1
    return E, torch.rand(1, h, w, 6, generator=generator)


def test_links_of_a_grid_are_its_edges():
    E, _ = grid()
    links = grid_links(E, WINDOW)
    found = {(int(s), int(t)): float(e) for (s, t), e in zip(links.edge_index.T, links.weight, strict=True)}
    expected = {
        ((y + dy) * 5 + x + dx, y * 5 + x): float(E[k, y, x])
        for k, (dy, dx) in enumerate(WINDOW)
        for y in range(4)
        for x in range(5)
        if E[k, y, x] > 0
    }
    assert found == expected


def test_pyg_affinity_attention_on_the_grid_is_ours():
    E, H = grid()
    layers = OtherLayers("affinity", 6, 3, 10.0, [grid_links(E, WINDOW)], [5], "cpu")
    expected = H
    for w in layers.parameters:
        expected = affinity_attention(expected, w, Edges(E[None], WINDOW, 10.0))
    torch.testing.assert_close(layers(H, layers.parameters), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["gcn", "gat", "agnn"])
def test_a_batch_of_images_is_one_at_a_time(kind):
    (E, H), (F, G) = grid(4, 5, 0), grid(3, 6, 1)
    both = torch.zeros(2, 4, 6, 6)
    both[0, :4, :5], both[1, :3, :6] = H[0], G[0]
    together = OtherLayers(kind, 6, 2, 10.0, [grid_links(E, WINDOW), grid_links(F, WINDOW)], [3, 4], "cpu")
    found = together(both, together.parameters)
    for number, (e, h, seed) in enumerate([(E, H, 3), (F, G, 4)]):
        alone = OtherLayers(kind, 6, 2, 10.0, [grid_links(e, WINDOW)], [seed], "cpu")
        expected = alone(h, alone.parameters)[0]
        torch.testing.assert_close(found[number, : expected.shape[0], : expected.shape[1]], expected)
        assert expected.std() > 0


def test_gcn_is_the_normalised_adjacency_times_features_and_weights():
    E, H = grid()
    links = grid_links(E, WINDOW)
    layers = OtherLayers("gcn", 6, 1, 10.0, [links], [0], "cpu")
    W, bias = (layers.parameters[[n.split(".")[-1] for n in layers.names].index(n)][0] for n in ("weight", "bias"))
    A = torch.zeros(20, 20)
    for (source, target), e in zip(links.edge_index.T.tolist(), links.weight, strict=True):
        A[target, source] = e
    scale = A.sum(dim=1).rsqrt()
    expected = (scale[:, None] * A * scale[None] @ (H.view(20, 6) @ W.T) + bias).relu()
    torch.testing.assert_close(layers(H, layers.parameters).view(20, 6), expected, atol=1e-5, rtol=1e-5)


def test_superpixels_that_touch_are_linked_and_take_the_mean():
    pairs = {tuple(p) for p in neighbouring(PARTS).T.tolist()}
    assert pairs == {(0, 0), (1, 1), (2, 2), (0, 1), (1, 0), (1, 2), (2, 1), (0, 2), (2, 0)}
    X = torch.arange(6.0).view(2, 3, 1)
    expected = torch.tensor([[4 / 3, 4 / 3, 2], [4 / 3, 4.5, 4.5]])
    torch.testing.assert_close(mean_of_parts(X, PARTS)[..., 0], expected)


def test_weights_fall_with_the_distance_over_its_mean():
    X, edge_index = torch.tensor([[0.0, 0], [1, 2], [0, 1]]), torch.tensor([[0, 0, 1, 2], [0, 1, 2, 0]])
    mean = (3 + 2 + 1) / 3
    expected = [1, math.exp(-3 / mean), math.exp(-2 / mean), math.exp(-1 / mean)]
    torch.testing.assert_close(distance_weights(X, edge_index), torch.tensor(expected))


def test_a_superpixel_has_one_feature_after_the_layers():
    X = torch.rand(2, 3, 6, generator=torch.Generator().manual_seed(0))
    links = superpixel_links(mean_of_parts(X, PARTS), PARTS)
    layers = OtherLayers("affinity", 6, 1, 10.0, [links], [0], "cpu")
    H = layers(mean_of_parts(X, PARTS)[None], layers.parameters)[0]
    assert torch.equal(H[0, 0], H[1, 0]) and torch.equal(H[1, 1], H[1, 2]) and not torch.equal(H[0, 0], H[0, 2])


def test_distance_edges_by_loops():
    X = torch.rand(1, 6, 3, 4, generator=torch.Generator().manual_seed(0))
    distances = {}
    for k, (dy, dx) in enumerate(WINDOW):
        for y in range(3):
            for x in range(4):
                if 0 <= y + dy < 3 and 0 <= x + dx < 4:
                    distances[k, y, x] = float((X[0, :, y, x] - X[0, :, y + dy, x + dx]).abs().sum())
    others = [d for (k, _, _), d in distances.items() if WINDOW[k] != (0, 0)]
    E = linked(likeness(X, WINDOW)[0], WINDOW, 0.2)
    for (k, y, x), d in distances.items():
        e = math.exp(-d / (sum(others) / len(others)))
        assert float(E[k, y, x]) == pytest.approx(e if e > 0.2 else 0.0, abs=1e-5)
    assert int((E > 0).sum()) == sum(math.exp(-d / (sum(others) / len(others))) > 0.2 for d in distances.values())
