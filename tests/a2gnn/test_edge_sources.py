"""Similarities of neighbouring nodes, each read off its equation pair by pair; their product; what holds for all."""

import itertools
from typing import get_args

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from wsss_stages.a2gnn.affinity_cnn import AffinityCnn
from wsss_stages.a2gnn.edge_sources import EDGE_SOURCES, GraphImage, edges
from wsss_stages.a2gnn.edge_sources.features import cosines
from wsss_stages.a2gnn.node_net import NodeNet
from wsss_stages.config import options
from wsss_stages.config.options.a2gnn import OF_AFFINITY_CNN, EdgeKind
from wsss_stages.nets import backbones
from wsss_stages.pairwise import windows

WINDOW = windows.offsets(2, "disc")
HEIGHT, WIDTH = 37, 50
"""No multiples of the stride of 8: five rows of seven nodes."""


@pytest.fixture(scope="module")
def image():
    """A photograph of noise on two colours, seen by an affinity CNN and by another frozen backbone."""
    torch.manual_seed(0)
    photo = torch.rand(1, 3, HEIGHT, WIDTH) * 0.2
    photo[:, 0, :, 25:] += 0.7
    affinity = AffinityCnn(backbones.build("tiny", stride=8, pretrained=False)).eval()
    frozen = NodeNet(backbones.build("tiny", stride=16, pretrained=False)).eval()
    with torch.no_grad():
        yield GraphImage(photo, affinity, frozen, WINDOW, sigma_lab=20.0)


def pairs(h, w):
    """Yield (number in the window, node, neighbour) of all pairs inside a grid."""
    for (k, (dy, dx)), y, x in itertools.product(enumerate(WINDOW), range(h), range(w)):
        if 0 <= y + dy < h and 0 <= x + dx < w:
            yield k, (y, x), (y + dy, x + dx)


@torch.no_grad()
@pytest.mark.parametrize("kinds", [[kind] for kind in EDGE_SOURCES] + [["affinity", "colour"], ["features", "colour"]])
def test_edges_are_in_0_to_1_symmetric_one_of_a_node_and_itself_and_nothing_outside(image, kinds):
    E = edges(image, kinds, threshold=0.0)
    assert E.shape == (len(WINDOW), 5, 7) and E.min() >= 0 and E.max() <= 1
    inside = torch.zeros_like(E, dtype=torch.bool)
    for k, i, j in pairs(5, 7):
        inside[k][i] = True
        dy, dx = WINDOW[k]
        assert E[k][i] == pytest.approx(float(E[WINDOW.index((-dy, -dx))][j]), abs=1e-6)
    assert (E[~inside] == 0).all() and (E[inside] > 0).float().mean() > 0.9
    torch.testing.assert_close(E[WINDOW.index((0, 0))], torch.ones(5, 7))
    assert E[inside].std() > 1e-3


@torch.no_grad()
def test_edges_by_colour_are_a_gaussian_of_the_mean_colours_in_lab(image):
    E = EDGE_SOURCES["colour"](image)
    means = np.zeros((5, 7, 3))
    for y, x in itertools.product(range(5), range(7)):
        around = [
            image.photo[0, :, v, u].numpy()
            for v, u in itertools.product(range(HEIGHT), range(WIDTH))
            if nearest(v, 5) == y and nearest(u, 7) == x
        ]
        means[y, x] = (
            np.mean(around, axis=0) if around else image.photo[0, :, min(8 * y, HEIGHT - 1), min(8 * x, WIDTH - 1)]
        )
    colours = rgb2lab(means)
    for k, i, j in pairs(5, 7):
        assert float(E[k][i]) == pytest.approx(np.exp(-((colours[i] - colours[j]) ** 2).sum() / (2 * 20**2)), abs=1e-3)


def nearest(pixel, nodes):
    """Return the node nearest to a pixel; node k of a network that is drawn at random lies at pixel 8 k."""
    return min(range(nodes), key=lambda k: (abs(8 * k - pixel), -k))


@torch.no_grad()
def test_edges_by_features_are_cosines_of_the_other_backbone_at_the_nodes(image):
    E = EDGE_SOURCES["features"](image)
    maps = image.features.maps(image.whole(image.features))
    F = torch.cat(maps, dim=1)[0]
    for k, i, j in pairs(5, 7):
        if all(n % 2 == 0 for n in (*i, *j)):  # every second node lies on one of the map of stride 16
            a, b = (F[:, y // 2, x // 2] for y, x in (i, j))
            assert float(E[k][i]) == pytest.approx(float(torch.cosine_similarity(a, b, dim=0).clamp(min=0)), abs=1e-5)


def test_features_that_oppose_each_other_are_not_alike_and_a_dead_node_is_like_itself_alone():
    F = torch.tensor([[1.0, 1.0, -1.0, 0.0], [0.0, 1.0, 0.0, 0.0]]).view(1, 2, 1, 4)
    E = cosines(F, WINDOW)[0]
    right, own = WINDOW.index((0, 1)), WINDOW.index((0, 0))
    torch.testing.assert_close(E[right, 0, :3], torch.tensor([0.5**0.5, 0.0, 0.0]))
    torch.testing.assert_close(E[own, 0], torch.ones(4))


def test_features_that_are_no_numbers_stay_none():
    F = torch.ones(1, 2, 2, 2)
    F[0, 0, 0, 0] = torch.nan
    assert cosines(F, WINDOW).isnan().any()


@torch.no_grad()
def test_several_sources_are_multiplied_and_the_threshold_holds_for_the_product(image):
    one, other = (EDGE_SOURCES[kind](image) for kind in ("affinity", "colour"))
    E = edges(image, ["affinity", "colour"], threshold=0.3)
    for k, i, _ in pairs(5, 7):
        product = float(one[k][i] * other[k][i])
        assert float(E[k][i]) == pytest.approx(product if product > 0.3 else 0.0, abs=1e-6)


def test_options_name_the_sources_and_know_which_need_the_affinity_cnn(image):
    assert set(get_args(EdgeKind)) == set(EDGE_SOURCES)
    assert options.Graph().needs_affinity and not options.Graph().needs_features
    frozen = GraphImage(image.photo, image.features, image.features, WINDOW, 20.0)
    for kind in set(EDGE_SOURCES) - OF_AFFINITY_CNN:
        opt = options.Graph(edges=[kind])
        assert not opt.needs_affinity and opt.needs_classifier
        assert edges(frozen, [kind], 0.0).shape == (len(WINDOW), 3, 4), "and work without it"
    assert not options.Graph(edges=["features"], feature_backbone="resnet18").needs_classifier
