"""Affinity attention: Eq. 3.18 in loops, compiled, in tiles, dense, and as message passing; gradients too."""

import math

import pytest
import torch

from wsss_stages.a2gnn.attention import Edges, affinity_attention
from wsss_stages.a2gnn.graph_attention import AffinityAttention
from wsss_stages.pairwise import windows
from wsss_stages.pairwise.compiled import CompiledWindows
from wsss_stages.pairwise.dense import Dense
from wsss_stages.pairwise.tiles import Tiles

BETA = 10.0


def grid(h, w, window, images=1, d=3, seed=0):
    """Features with some orthogonal and some zero rows, and edges with gaps, 1 to itself, 0 outside."""
    generator = torch.Generator().manual_seed(seed)
    H = torch.randn(images, h, w, d, generator=generator).relu()
    E = torch.rand(images, len(window), h, w, generator=generator)
    E = E * (E > 0.3) * windows.exists(h, w, window, "cpu")
    E[:, window.index((0, 0))] = 1
    return H, E


def eq_3_18(H, E, window, w, beta=BETA):
    """H^{l+1} read off the page, one node after the other."""
    height, width, _ = H.shape
    rows = []
    for y in range(height):
        for x in range(width):
            scores, values = [], []
            for n, (dy, dx) in enumerate(window):
                if E[n, y, x] == 0:
                    continue
                other = H[y + dy, x + dx]
                cos = torch.nn.functional.cosine_similarity(H[y, x], other, dim=0, eps=1e-7)
                scores.append(w * cos + (beta * E[n, y, x] if cos > 0 else 0))
                values.append(other)
            P = torch.stack(scores).softmax(dim=0)
            rows.append((P[:, None] * torch.stack(values)).sum(dim=0))
    return torch.stack(rows).view(height, width, -1)


def message_passing(H, E, window, w):
    """The same by the PyG layer, on an edge list."""
    height, width, d = H.shape
    sources, targets, weights = [], [], []
    for n, y, x in E.nonzero().tolist():
        dy, dx = window[n]
        sources.append((y + dy) * width + x + dx)
        targets.append(y * width + x)
        weights.append(E[n, y, x])
    layer = AffinityAttention(BETA)
    layer.w = torch.nn.Parameter(w.detach().clone())
    out = layer(H.reshape(-1, d), torch.tensor([sources, targets]), torch.stack(weights))
    return out.view(height, width, d), layer


@pytest.mark.parametrize("size", [(5, 7), (8, 8), (9, 17)])
@pytest.mark.parametrize("radius, window", [(2, "square"), (3, "disc")])
def test_all_ways_agree_with_gradients(size, radius, window):
    offsets = windows.offsets(radius, window)
    H, E = grid(*size, offsets)
    H[0, 0, 0] = 0.0
    nonzero = H.norm(dim=3, keepdim=True) > 0  # the cosine of a zero vector has no gradient worth comparing
    w, aim = torch.tensor([0.7]), torch.randn(1, *size, 3)

    def run(layer):
        features, weight = H.clone().requires_grad_(), w.clone().requires_grad_()
        out, used = layer(features, weight)
        (out * aim).sum().backward()
        return out.detach(), features.grad * nonzero, (used if used is not None else weight).grad.view(())

    ours = [
        run(lambda f, v, by=by: (affinity_attention(f, v, Edges(E, offsets, BETA, by)), None))
        for by in (CompiledWindows(offsets), Tiles(size, offsets), Dense(size, offsets))
    ]
    loops = run(lambda f, v: (eq_3_18(f[0], E[0], offsets, v[0])[None], None))

    def passing(f, v):
        out, layer = message_passing(f[0], E[0], offsets, v[0])
        return out[None], layer.w

    for found in (*ours, run(passing)):
        for a, b in zip(found, loops, strict=True):
            torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


def test_images_of_a_batch_do_not_mix():
    offsets = windows.offsets(2, "square")
    H, E = grid(9, 6, offsets, images=3)
    w = torch.tensor([0.1, 0.5, 0.9])
    together = affinity_attention(H, w, Edges(E, offsets, BETA))
    alone = [affinity_attention(H[i : i + 1], w[i : i + 1], Edges(E[i : i + 1], offsets, BETA)) for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone))


def test_a_mirrored_image_gives_the_mirrored_result():
    offsets = windows.offsets(2, "square")
    H, E = grid(10, 11, offsets)
    mirrored_E = E.flip(3)[:, [offsets.index((dy, -dx)) for dy, dx in offsets]]
    w = torch.tensor([0.5])
    straight = affinity_attention(H, w, Edges(E, offsets, BETA))
    mirrored = affinity_attention(H.flip(2), w, Edges(mirrored_E, offsets, BETA))
    torch.testing.assert_close(mirrored, straight.flip(2))


def test_a_node_connected_to_itself_alone_keeps_its_features():
    offsets = windows.offsets(1, "square")
    H, E = grid(4, 4, offsets)
    E[:, [n for n, o in enumerate(offsets) if o != (0, 0)]] = 0
    torch.testing.assert_close(affinity_attention(H, torch.tensor([0.3]), Edges(E, offsets, BETA)), H)


def test_two_nodes_by_hand():
    window = windows.offsets(1, "square")
    H = torch.tensor([[[[1.0, 0.0], [0.0, 2.0]]]])
    E = torch.zeros(1, 9, 1, 2)
    E[0, window.index((0, 0))] = 1
    E[0, window.index((0, 1)), 0, 0] = 0.5
    out = affinity_attention(H, torch.tensor([1.0]), Edges(E, window, BETA))
    share = 1 / (1 + math.exp(-(1 + BETA)))  # orthogonal: the edge does not count, the node stays in the sum
    torch.testing.assert_close(out[0, 0, 0], torch.tensor([share, 2 * (1 - share)]))
    torch.testing.assert_close(out[0, 0, 1], H[0, 0, 1])


def test_renumbering_nodes_renumbers_the_outputs_of_message_passing():
    layer, x = AffinityAttention(), torch.rand(6, 4)
    index = torch.cartesian_prod(torch.arange(6), torch.arange(6)).T
    weight, order = torch.rand(36), torch.randperm(6)
    back = order.argsort()
    torch.testing.assert_close(layer(x[order], back[index], weight), layer(x, index, weight)[order])
