"""From pixels to nodes and back, the graph's features and edges (Eqs. 3.6, 3.14-3.15, 3.19)."""

import numpy as np
import pytest
import torch

from wsss_stages.a2gnn import graph, nodes, pixels
from wsss_stages.nets.grid import Grid
from wsss_stages.pairwise import windows
from wsss_stages.pairwise.affinity import affinity


@pytest.mark.parametrize("grid", [Grid.cells(4), Grid(4, 0.0), Grid(4, 3.0)])
def test_a_box_holds_the_nodes_that_lie_in_it_and_at_least_one(grid):
    boxes = np.array([[3, 0, 9, 4], [0, 0, 12, 8], [4, 4, 5, 5], [11, 7, 12, 8], [2, 3, 7, 6], [0, 0, 6, 6]])
    found = nodes.boxes_at_nodes(boxes, grid, 2, 3)
    assert nodes.boxes_at_nodes(np.zeros((0, 4), int), grid, 2, 3).shape == (0, 2, 3)
    for (x0, y0, x1, y1), inside in zip(boxes, found, strict=True):
        rows, columns = (
            [k for k in range(n) if start <= 4 * k + grid.offset + 0.5 < stop]
            or [min(range(n), key=lambda k, m=(start + stop) / 2: abs(4 * k + grid.offset + 0.5 - m))]
            for start, stop, n in ((y0, y1, 2), (x0, x1, 3))
        )
        assert [(y, x) for y in range(2) for x in range(3) if inside[y, x]] == [(y, x) for y in rows for x in columns]


def test_a_box_leaves_out_nodes_that_it_covers_by_one_pixel():
    found = nodes.boxes_at_nodes(np.array([[3, 3, 9, 9]]), Grid.cells(4), 3, 3)
    assert found.tolist() == [[[False] * 3, [False, True, False], [False] * 3]]


def test_rows_of_labels():
    assert nodes.rows_of(np.uint8([[0, 7, 3, 255]]), [0, 3, 7]).tolist() == [[0, 2, 1, -1]]


def test_images_are_padded_to_whole_nodes_on_two_sides():
    padded = nodes.whole_nodes(torch.ones(1, 3, 9, 16), 8)
    assert padded.shape == (1, 3, 16, 16) and padded.sum() == 3 * 9 * 16


def test_features_are_eq_3_15_and_survive_a_dead_node():
    maps = [torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[[3.0, 0.0]]]])]
    assert graph.node_features(maps).tolist() == [[0.25, 0.75], [0, 0]]


def test_edges_are_eq_3_14():
    window = windows.offsets(1, "square")
    F = torch.tensor([[[[0.0, 0.5, 9.0]]]])
    E = graph.linked(affinity(F, window)[0], window, 0.01)[:, 0]
    left, self_, right = (window.index((0, dx)) for dx in (-1, 0, 1))
    near = float(np.exp(-0.5))
    torch.testing.assert_close(E[left], torch.tensor([0.0, near, 0.0]))
    torch.testing.assert_close(E[right], torch.tensor([near, 0.0, 0.0]))
    assert E[self_].tolist() == [1, 1, 1] and E.sum().item() == 3 + 2 * E[left, 1].item()


def test_principal_components_keep_inner_products_when_all_are_kept():
    X = torch.rand(30, 5)
    reduced = graph.principal(X, 8)
    assert reduced.shape == (30, 8) and (reduced[:, 5:] == 0).all()
    scale = (X @ X.T)[0, 0] / (reduced @ reduced.T)[0, 0]
    torch.testing.assert_close(scale * (reduced @ reduced.T), X @ X.T, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("count", [3, 8])
def test_principal_components_have_a_mean_row_norm_of_one(count):
    reduced = graph.principal(100 * torch.rand(30, 5), count)
    assert sum(row.norm().item() for row in reduced) / 30 == pytest.approx(1, rel=1e-4)


def test_principal_components_of_some_rows_keep_nearly_as_much_as_the_best():
    generator = torch.Generator().manual_seed(0)
    spectrum = 0.9 ** torch.arange(60.0)
    X = (
        torch.randn(600, 60, generator=generator)
        * spectrum
        @ torch.linalg.qr(torch.randn(60, 60, generator=generator))[0]
    )
    best = X @ torch.linalg.svd(X).Vh[:12].T

    def likeness(Y):
        return torch.cosine_similarity((Y @ Y.T).flatten(), (X @ X.T).flatten(), dim=0)

    assert likeness(graph.principal(X, 12)) > likeness(best) - 0.005
    assert likeness(X[:, :12]) < likeness(best) - 0.1


def test_principal_components_of_nothing_are_zero():
    assert (graph.principal(torch.zeros(20, 5), 3) == 0).all()


def test_probabilities_cut_the_padding_off_instead_of_stretching():
    logits = torch.zeros(2, 2, 2)
    logits[1, :, 1] = 20
    P = pixels.probabilities(logits, Grid.cells(8), 13, 9)
    whole = pixels.probabilities(logits, Grid.cells(8), 16, 16)
    assert P.shape == (2, 13, 9)
    torch.testing.assert_close(P, whole[:, :13, :9])


def test_classes_live_where_allowed_and_nowhere_is_background():
    P = torch.tensor([[[0.2, 0.0, 0.2]], [[0.8, 1.0, 0.8]]])
    allowed = torch.tensor([[[True] * 3], [[False, False, True]]])
    found = pixels.only_where_allowed(P, allowed)
    torch.testing.assert_close(found, torch.tensor([[[1.0, 1.0, 0.2]], [[0.0, 0.0, 0.8]]]))


def test_labels_are_nearly_sure_and_unknown_ones_say_nothing():
    P = pixels.sure(torch.tensor([[1, -1]]), 4)
    torch.testing.assert_close(P[:, 0].T, torch.tensor([[0.025, 0.925, 0.025, 0.025], [0.25] * 4]))


def test_mix_leaves_unknown_pixels_alone():
    P = torch.full((2, 1, 2), 0.5)
    torch.testing.assert_close(pixels.mix(P, torch.tensor([[1, -1]]), 0.4), torch.tensor([[[0.3, 0.5]], [[0.7, 0.5]]]))
