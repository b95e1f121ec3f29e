"""Tiles: they cover, overlap, begin on whole strides; blended maps are the weighted mean, and memory is a strip."""

import itertools
from itertools import pairwise

import pytest
import torch

from wsss_stages.labels.shrink import Shrunk
from wsss_stages.labels.tiles import ALIGN, blended, shares, spans


@pytest.mark.parametrize("total", [1, 255, 256, 257, 300, 385, 640, 1000, 4001])
@pytest.mark.parametrize(("tile", "overlap"), [(256, 32), (256, 128), (300, 150), (1000, 256)])
def test_spans_cover_and_overlap(total, tile, overlap):
    parts = spans(total, tile, overlap)
    assert parts[0][0] == 0 and parts[-1][1] == total
    assert all(start % ALIGN == 0 and stop - start <= tile for start, stop in parts)
    assert all(before[1] - after[0] >= overlap for before, after in pairwise(parts))
    weights = shares(parts)
    assert all((w >= 0).all() and (w <= 1).all() for w in weights)
    total_weight = torch.zeros(total)
    for (start, stop), w in zip(parts, weights, strict=True):
        total_weight[start:stop] += w
    torch.testing.assert_close(total_weight, torch.ones(total))


def test_a_weight_grows_over_the_middle_half_of_an_overlap():
    first, second = 256, 128
    left, right = shares([(0, first), (second, 400)])
    assert (left[:second] == 1).all() and (right[first - second :] == 1).all()
    shared = first - second
    for place in range(shared):
        depth = (place + 0.5) / shared
        wanted = 0 if depth < 0.25 else 1 if depth > 0.75 else 2 * depth - 0.5
        assert right[place] == pytest.approx(wanted, abs=1e-5)
        assert left[second + place] == pytest.approx(1 - wanted, abs=1e-5)


@pytest.mark.parametrize("size", [(300, 700), (700, 300), (520, 560), (90, 1300), (256, 256), (1000, 40)])
def test_a_blended_map_is_the_weighted_mean_of_its_tiles_at_every_pixel(size):
    made = []

    def make(rows, columns):
        P = torch.rand(3, rows[1] - rows[0], columns[1] - columns[0], dtype=torch.float64)
        made.append((rows, columns, P.clone()))
        return P

    found, times = torch.zeros(3, *size, dtype=torch.float64), torch.zeros(size)
    for y, x, block in blended(size, 256, 100, make):
        found[:, y : y + block.shape[1], x : x + block.shape[2]] += block
        times[y : y + block.shape[1], x : x + block.shape[2]] += 1
    assert (times == 1).all()
    down, across = spans(size[0], 256, 100), spans(size[1], 256, 100)
    wanted = torch.zeros(3, *size, dtype=torch.float64)
    for rows, columns, P in made:
        weight = shares(down)[down.index(rows)][:, None] * shares(across)[across.index(columns)]
        wanted[:, slice(*rows), slice(*columns)] += P * weight
    assert len(made) == len(down) * len(across)
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=0)


def test_a_map_that_tiles_agree_on_comes_out_as_it_is():
    whole = torch.rand(2, 400, 600)
    for y, x, block in blended((400, 600), 256, 64, lambda r, c: whole[:, slice(*r), slice(*c)].clone()):
        torch.testing.assert_close(block, whole[:, y : y + block.shape[1], x : x + block.shape[2]])


@pytest.mark.parametrize(("height", "width", "longest"), [(7, 5, 3), (6, 9, 4), (4, 3, 9), (1, 8, 3), (9, 1, 1)])
@pytest.mark.parametrize("cut", [0, 1, 4])
def test_a_shrunk_map_has_the_mean_of_every_cell_in_whatever_blocks_it_comes(height, width, longest, cut):
    whole = torch.rand(2, height, width)
    small = Shrunk((height, width), longest)
    for y, block in ((0, whole[:, :cut]), (cut, whole[:, cut:])):
        if block.shape[1]:
            small.add(y, 0, block)
    rows, columns = small.shrunk_size
    assert max(rows, columns) == min(longest, max(height, width))
    for i, j in itertools.product(range(rows), range(columns)):
        total = torch.zeros(2)
        for y, x in itertools.product(range(height), range(width)):
            down = max(0, min(y + 1, (i + 1) * height / rows) - max(y, i * height / rows))
            right = max(0, min(x + 1, (j + 1) * width / columns) - max(x, j * width / columns))
            total += whole[:, y, x] * down * right
        torch.testing.assert_close(small.map[:, i, j], total * rows * columns / (height * width), atol=1e-5, rtol=0)
