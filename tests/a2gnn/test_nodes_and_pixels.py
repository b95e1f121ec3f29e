"""From pixels to nodes and back, the graph's features and edges (Eqs. 3.6, 3.14-3.15, 3.19)."""

import numpy as np
import torch

from wsss_stages.a2gnn import graph, nodes, pixels
from wsss_stages.pairwise import windows


def test_a_node_takes_the_label_in_its_middle_or_its_last():
    labels = np.arange(10 * 7, dtype=np.uint8).reshape(10, 7)
    assert nodes.labels_at_nodes(labels, 4).tolist() == [
        [2 * 7 + 2, 2 * 7 + 6],
        [6 * 7 + 2, 6 * 7 + 6],
        [9 * 7 + 2, 9 * 7 + 6],
    ]


def test_a_box_holds_every_node_that_it_touches():
    found = nodes.boxes_at_nodes(np.array([[3, 0, 5, 4], [8, 7, 9, 8]]), 4, 2, 3)
    assert found.tolist() == [[[True, True, False], [False] * 3], [[False] * 3, [False, False, True]]]
    assert nodes.boxes_at_nodes(np.zeros((0, 4), int), 4, 2, 3).shape == (0, 2, 3)


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
    E = graph.edges(F, window, 0.01)[:, 0]
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
    P = pixels.probabilities(logits, 8, 13, 9)
    whole = pixels.probabilities(logits, 8, 16, 16)
    assert P.shape == (2, 13, 9) and torch.equal(P, whole[:, :13, :9])


def test_classes_live_where_allowed_and_nowhere_is_background():
    P = torch.tensor([[[0.2, 0.0, 0.2]], [[0.8, 1.0, 0.8]]])
    allowed = torch.tensor([[[True] * 3], [[False, False, True]]])
    found = pixels.only_where_allowed(P, allowed)
    torch.testing.assert_close(found, torch.tensor([[[1.0, 1.0, 0.2]], [[0.0, 0.0, 0.8]]]))


def test_mix_leaves_unknown_pixels_alone():
    P = torch.full((2, 1, 2), 0.5)
    torch.testing.assert_close(pixels.mix(P, torch.tensor([[1, -1]]), 0.4), torch.tensor([[[0.3, 0.5]], [[0.7, 0.5]]]))
