"""Weak labels drawn from masks."""

import itertools

import numpy as np
import pytest
from scipy import ndimage
from skimage.draw import disk, ellipse, polygon

from wsss_stages.data.weak import simulate
from wsss_stages.data.weak.polylines import draw


def rng(seed=0):
    return np.random.default_rng(seed)


def shapes():
    """A disk, a thin bar at the border, an L, a frame with a hole, one pixel."""
    masks = [np.zeros((60, 80), bool) for _ in range(5)]
    masks[0][disk((30, 40), 20)] = True
    masks[1][:60, 0:4] = True
    masks[2][polygon([5, 5, 45, 45, 55, 55], [10, 20, 20, 70, 70, 10])] = True
    masks[3][10:50, 10:70] = True
    masks[3][20:40, 20:60] = False
    masks[4][7, 9] = True
    return masks


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.5, 1.0])
def test_a_stroke_lies_in_its_object_and_never_touches_the_outline(number, ratio):
    mask = shapes()[number]
    drawn = simulate.stroke(mask, ratio, 3, rng())
    assert drawn.any() and not (drawn & ~mask).any()
    if mask.sum() > 1:
        around = ndimage.binary_dilation(drawn, np.ones((3, 3)), border_value=0)
        assert not (around & ~mask).any(), "touches what is outside the object"
        assert not drawn[:, 0].any() and not drawn[0].any() and not drawn[-1].any()


def test_a_shorter_stroke_is_part_of_a_longer_one_and_as_long_as_asked_for():
    mask = np.zeros((60, 200), bool)
    mask[20:40, 10:190] = True
    whole, half, tenth = (simulate.stroke(mask, r, 1, rng(3)) for r in (1.0, 0.5, 0.1))
    assert not (tenth & ~half).any() and not (half & ~whole).any()
    lengths = [s.any(axis=0).sum() for s in (whole, half, tenth)]
    assert lengths[0] > 150 and abs(lengths[1] / lengths[0] - 0.5) < 0.05 and abs(lengths[2] / lengths[0] - 0.1) < 0.05


def test_a_stroke_goes_along_the_longest_way():
    bent = shapes()[2]
    drawn = simulate.stroke(bent, 1.0, 1, rng())
    ys, xs = np.nonzero(drawn)
    assert ys.min() < 15 and xs.max() > 60, "both arms of the L"
    assert ndimage.label(drawn, np.ones((3, 3)))[1] == 1


def test_a_click_lies_deep_inside():
    mask = np.zeros((60, 80), bool)
    mask[ellipse(30, 40, 15, 30)] = True
    depth = ndimage.distance_transform_edt(mask)
    clicks = {simulate.point(mask, rng(seed)) for seed in range(30)}
    assert len(clicks) > 10 and all(depth[y, x] >= depth.max() / 2 - 1 for x, y in clicks)


def test_a_box_is_tight_or_off_by_a_share_of_its_sides():
    mask = np.zeros((100, 200), bool)
    mask[20:60, 50:150] = True
    assert simulate.box(mask, 0.0, rng()) == (50, 20, 150, 60)
    found = np.array([simulate.box(mask, 0.1, rng(seed)) for seed in range(50)])
    off = np.abs(found - (50, 20, 150, 60))
    assert (off <= (10, 4, 10, 4)).all() and (off.max(axis=0) >= (8, 3, 8, 3)).all()


def test_a_jittered_box_stays_in_the_image_and_keeps_two_pixels():
    mask = np.zeros((30, 40), bool)
    mask[27:, 38:] = True
    for seed in range(50):
        x0, y0, x1, y1 = simulate.box(mask, 0.4, rng(seed))
        assert 0 <= x0 and x0 + 2 <= x1 <= 40 and 0 <= y0 and y0 + 2 <= y1 <= 30


def test_objects_are_instances_or_connected_parts():
    labels = np.zeros((10, 20), np.uint8)
    labels[1:4, 1:4], labels[1:4, 8:12], labels[6:9, 2:9], labels[0, 0] = 5, 5, 7, 255
    instances = np.zeros_like(labels)
    instances[1:4, 1:4], instances[1:4, 8:12], instances[6:9, 2:9], instances[0, 0] = 1, 1, 2, 255
    assert [(int(m.sum()), c) for m, c in simulate.objects(labels, None)] == [(9, 5), (12, 5), (21, 7)]
    assert [(int(m.sum()), c) for m, c in simulate.objects(labels, instances)] == [(21, 5), (21, 7)]


def test_scribbles_have_their_classes_and_background():
    labels = np.zeros((60, 80), np.uint8)
    labels[5:30, 5:30], labels[35:55, 20:70] = 3, 4
    labels[30:35] = 255
    drawn = simulate.scribbles(labels, None, 1.0, 3, rng())
    known = drawn != 255
    assert set(np.unique(drawn)) == {0, 3, 4, 255} and (drawn[known] == labels[known]).all()
    assert simulate.tags(labels) == [3, 4]


def test_an_image_full_of_one_object_has_no_background_stroke():
    drawn = simulate.scribbles(np.full((20, 20), 2, np.uint8), None, 1.0, 3, rng())
    assert set(np.unique(drawn)) == {2, 255}


def scribbles():
    """Two classes: a bent line and a dot of class 1, a straight one of background; lines are three pixels wide."""
    drawn = np.full((60, 220), 255, np.uint8)
    draw_lines = [([[10, 10], [200, 10], [200, 50]], 1), ([[10, 30], [150, 30]], 0), ([[30, 50]], 1)]
    for points, cls in draw_lines:
        draw(drawn, np.array(points), cls, 3)
    return drawn


def test_cut_scribbles_are_nested_and_as_long_as_asked_for():
    whole = scribbles()
    cut = {ratio: simulate.shortened(whole, ratio, rng(5)) for ratio in (1.0, 0.8, 0.5, 0.3, 0.0)}
    assert np.array_equal(cut[1.0], whole)
    for longer, shorter in itertools.pairwise(cut.values()):
        assert ((shorter == longer) | (shorter == 255)).all()
    line = whole[25:35] == 0
    for ratio, found in cut.items():
        assert ndimage.label(found != 255, np.ones((3, 3)))[1] == 3, "every scribble stays, in one piece"
        length = (found[25:35] == 0).any(axis=0).sum() / line.any(axis=0).sum()
        assert abs(length - ratio) < 0.03, (ratio, length)
    assert (cut[0.0] != 255).sum() < 30


def test_a_scribble_is_cut_by_its_generator_alone_and_small_ones_survive():
    assert np.array_equal(simulate.shortened(scribbles(), 0.5, rng(1)), simulate.shortened(scribbles(), 0.5, rng(1)))
    assert not np.array_equal(
        simulate.shortened(scribbles(), 0.5, rng(1)), simulate.shortened(scribbles(), 0.5, rng(2))
    )
    for height, width in itertools.product(range(1, 5), repeat=2):
        dot = np.full((6, 6), 255, np.uint8)
        dot[1 : 1 + height, 1 : 1 + width] = 3
        assert (simulate.shortened(dot, 0.0, rng()) == 3).any()
    nothing = np.full((6, 6), 255, np.uint8)
    assert np.array_equal(simulate.shortened(nothing, 0.5, rng()), nothing)
