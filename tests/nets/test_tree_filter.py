"""The learnable tree filter against its O(N²) definition: Kruskal, ways and sums in plain loops."""

import math

import numpy as np
import pytest
import torch
from scipy.sparse.csgraph import connected_components

from wsss_stages.nets.tree_filter import spanning_forest, spanning_tree, tree_filter

H, W = 4, 5


def grid_edges(h, w):
    """Edges of the 4-connected grid: those to the right first, then those downwards."""
    right = [(y * w + x, y * w + x + 1) for y in range(h) for x in range(w - 1)]
    return right + [(y * w + x, (y + 1) * w + x) for y in range(h - 1) for x in range(w)]


def kruskal(guide):
    """Edges of the minimum spanning tree of a (d, h, w) guide."""
    flat = guide.flatten(1).T.tolist()
    edges = grid_edges(*guide.shape[1:])
    weights = [sum((p - q) ** 2 for p, q in zip(flat[i], flat[j], strict=True)) for i, j in edges]
    component, tree = list(range(len(flat))), set()
    for _, (i, j) in sorted(zip(weights, edges, strict=True), key=lambda pair: pair[0]):
        if component[i] != component[j]:
            tree.add((i, j))
            old = component[j]
            component = [component[i] if c == old else c for c in component]
    return tree


def way(tree, start):
    """The edges from `start` to every node."""
    ways, ahead = {start: []}, [start]
    while ahead:
        i = ahead.pop()
        for p, q in tree:
            for here, neighbour in ((p, q), (q, p)):
                if here == i and neighbour not in ways:
                    ways[neighbour] = [*ways[i], (p, q)]
                    ahead.append(neighbour)
    return ways


def by_definition(x, embedding, guide, groups):
    b, c, h, w = x.shape
    y = torch.zeros_like(x)
    for image in range(b):
        tree = kruskal(guide[image])
        for group in range(groups):
            e = embedding[image].flatten(1).chunk(groups)[group]
            values = x[image].flatten(1).chunk(groups)[group]
            for i in range(h * w):
                total, norm = 0.0, 0.0
                for j, edges in way(tree, i).items():
                    S = math.exp(-sum(((e[:, k] - e[:, m]) ** 2).sum().item() for k, m in edges))
                    total, norm = total + S * values[:, j], norm + S
                size = c // groups
                y[image, group * size : (group + 1) * size, i // w, i % w] = total / norm
    return y


def edges_of(forest, image, nodes):
    """The tree of an image, as pairs of nodes."""
    order, parent = forest.order.tolist(), forest.parent.tolist()
    pairs = [(order[place], order[above]) for place, above in enumerate(parent) if place != above]
    return {tuple(sorted((i - image * nodes, j - image * nodes))) for i, j in pairs if i // nodes == image}


@pytest.fixture
def drawn():
    generator = torch.Generator().manual_seed(1)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    return draw(2, 6, H, W), 0.5 * draw(2, 4, H, W), draw(2, 3, H, W)


@pytest.mark.parametrize("groups", [1, 2])
def test_it_is_the_definition(drawn, groups):
    x, embedding, guide = drawn
    found = tree_filter(x, embedding, spanning_forest(guide), groups)
    torch.testing.assert_close(found, by_definition(x, embedding, guide, groups))


@pytest.mark.parametrize("groups", [1, 2])
def test_its_gradients(drawn, groups):
    x, embedding, guide = drawn
    forest = spanning_forest(guide)
    leaves = (x.requires_grad_(), embedding.requires_grad_())
    assert torch.autograd.gradcheck(lambda x, e: tree_filter(x, e, forest, groups), leaves)


def test_the_forest_is_the_minimum_spanning_trees_and_sorted_by_depth(drawn):
    *_, guide = drawn
    forest = spanning_forest(guide)
    for image in range(2):
        assert edges_of(forest, image, H * W) == kruskal(guide[image])
    assert torch.equal(forest.order[forest.place], torch.arange(2 * H * W))
    level = np.searchsorted(forest.levels, np.arange(2 * H * W), side="right")
    above = level[forest.parent.numpy()]
    assert forest.levels[:2] == [0, 2] and (above[2:] == level[2:] - 1).all()


def test_the_root_is_in_the_middle():
    line = torch.arange(9.0).reshape(1, 1, 1, 9)
    assert spanning_forest(line).levels == [0, 1, 3, 5, 7, 9]


@pytest.mark.parametrize("guide", [torch.zeros(1, 2, H, W), (torch.arange(W) > 2).float().expand(1, 1, H, W)])
def test_edges_between_equal_nodes_do_not_vanish(guide):
    tree = edges_of(spanning_forest(guide), 0, H * W)
    assert len(tree) == H * W - 1 and tree == kruskal(guide[0])


def test_equal_weights_take_the_edge_that_is_named_first():
    ends = np.array([0, 0, 1]), np.array([1, 2, 2])  # a triangle
    tree = spanning_tree(np.zeros(3), ends, 3).tocoo()
    assert set(zip(*map(np.ndarray.tolist, tree.coords), strict=True)) == {(0, 1), (0, 2)}
    assert connected_components(tree, directed=False)[0] == 1


def test_images_of_a_batch_do_not_meet(drawn):
    x, embedding, guide = drawn
    together = tree_filter(x, embedding, spanning_forest(guide), 2)
    alone = [tree_filter(x[k : k + 1], embedding[k : k + 1], spanning_forest(guide[k : k + 1]), 2) for k in range(2)]
    torch.testing.assert_close(together, torch.cat(alone))


def test_equal_embeddings_give_the_mean_of_the_image(drawn):
    x, embedding, guide = drawn
    found = tree_filter(x, torch.zeros_like(embedding), spanning_forest(guide), 1)
    torch.testing.assert_close(found, x.mean(dim=(2, 3), keepdim=True).expand_as(x))


def test_nothing_passes_between_far_embeddings(drawn):
    x, _, _ = drawn
    halves = torch.zeros(2, 1, H, W, dtype=torch.float64)
    halves[..., 2:] = 100
    found = tree_filter(x, halves, spanning_forest(halves), 1)
    for side in (slice(0, 2), slice(2, W)):
        mean = x[..., side].mean(dim=(2, 3), keepdim=True)
        torch.testing.assert_close(found[..., side], mean.expand_as(x[..., side]))


def test_half_precision_sums_in_single(drawn):
    x, embedding, guide = (t.to(torch.bfloat16) for t in drawn)
    found = tree_filter(x, embedding, spanning_forest(guide), 2)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, tree_filter(x.float(), embedding.float(), spanning_forest(guide.float()), 2))


def test_one_node():
    x = torch.rand(1, 4, 1, 1)
    assert torch.equal(tree_filter(x, x, spanning_forest(x), 2), x)
