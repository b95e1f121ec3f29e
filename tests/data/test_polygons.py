"""Polygons to masks and masks to polygons: a pixel is inside where a way to its right crosses the outline an odd number of times."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from wsss_stages.data.outlines import INSET, bridged, outlines
from wsss_stages.data.patches import Patch, iou, union
from wsss_stages.data.polygons import ellipse, filled, turned

masks = arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)).filter(np.any)


def inside(points, height, width):
    """Even-odd read off the page, one pixel and one edge at a time."""
    mask = np.zeros((height, width), bool)
    for y in range(height):
        for x in range(width):
            crossings = 0
            for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
                if (y0 <= y + 0.5) != (y1 <= y + 0.5):
                    crossings += x0 + (y + 0.5 - y0) / (y1 - y0) * (x1 - x0) > x + 0.5
            mask[y, x] = crossings % 2
    return mask


@given(st.lists(st.tuples(st.floats(-3, 12), st.floats(-3, 12)), min_size=3, max_size=9))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_a_polygon_is_filled_by_the_even_odd_rule(points):
    patch, _ = filled([np.array(points)], 8, 9)
    # a centre exactly on an edge may fall to either side
    assert (patch.full(8, 9) != inside(points, 8, 9)).sum() <= 1


def test_corners_on_the_sides_of_pixels_give_these_pixels():
    square = np.array([[2, 3], [10, 3], [10, 12], [2, 12]])
    patch, crossing = filled([square], 16, 20)
    assert patch.box == [2, 3, 10, 12] and patch.area == 72 and not crossing


@pytest.mark.parametrize(
    ("points", "crossing", "area"),
    [
        ([[0, 0], [4, 4], [4, 0], [0, 4]], True, 8),  # an hourglass on its side
        ([[0, 0], [4, 0], [4, 4], [0, 4]], False, 16),
        ([[0, 4], [4, 4], [4, 0], [0, 0]], False, 16),  # the other way round
        ([[0, 0], [4, 0], [4, 4], [0, 4], [0, 0], [4, 0], [4, 4], [0, 4]], True, 0),  # twice around
    ],
)
def test_a_polygon_that_crosses_itself_is_noticed(points, crossing, area):
    patch, found = filled([np.array(points, float)], 4, 4)
    assert found == crossing and abs(patch.area - area) <= 4 * crossing


def test_of_two_rings_the_inner_one_is_a_hole():
    outer, inner = (np.array([[a, a], [b, a], [b, b], [a, b]], float) for a, b in ((0, 8), (3, 5)))
    patch, crossing = filled([outer, inner[::-1]], 8, 8)
    assert patch.area == 64 - 4 and not crossing


@given(masks)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_outlines_give_the_same_mask_again(mask):
    height, width = mask.shape
    patch = Patch.of(mask)
    rings = outlines(patch)
    again, crossing = filled(rings, height, width)
    assert again.same(patch) and not crossing
    one = np.round(bridged(rings) / (width, height), 6) * (width, height)  # as it stands in a file of shares
    again, crossing = filled([one], height, width)
    assert again.same(patch) and not crossing


def test_outlines_lie_inside_the_pixels_sides_so_that_readers_that_round_down_agree():
    mask = np.zeros((12, 14), bool)
    mask[2:9, 3:11] = True
    mask[4:6, 5:8] = False
    outer, inner = outlines(Patch.of(mask))
    assert outer.min(axis=0).tolist() == [3 + INSET, 2 + INSET] and outer.max(axis=0).tolist() == [
        11 - INSET,
        9 - INSET,
    ]
    assert inner.min(axis=0).tolist() == [5 - INSET, 4 - INSET] and inner.max(axis=0).tolist() == [8 + INSET, 6 + INSET]
    drawn = np.zeros(mask.shape, np.uint8)
    cv2.fillPoly(
        drawn, [ring.astype(np.int32) for ring in (outer, inner)], 1
    )  # as Ultralytics and supervision read YOLO's outlines
    assert (drawn.astype(bool) == mask).all()


def test_pixels_that_touch_at_a_corner_have_outlines_of_their_own():
    assert [len(ring) for ring in outlines(Patch.of(np.eye(3, dtype=bool)))] == [4, 4, 4]


def test_turning_is_clockwise_as_seen_with_y_down():
    assert turned(np.array([[2.0, 1.0]]), (1.0, 1.0), 90.0).round(6).tolist() == [[1.0, 2.0]]
    corner = ellipse(5.0, 4.0, 3.0, 1.0, 90.0)
    assert corner.max(axis=0).round(6).tolist() == [6, 7] and corner.min(axis=0).round(6).tolist() == [4, 1]


def test_patches_are_their_pixels():
    mask = np.zeros((5, 7), bool)
    mask[1, 2] = mask[3, 4] = True
    patch = Patch.of(mask)
    assert patch.box == [2, 1, 5, 4] and patch.area == 2 and (patch.full(5, 7) == mask).all()
    assert Patch.of(np.zeros((5, 7), bool)).area == 0
    one, other = Patch.of(mask[:2], 0, 0), Patch.of(mask[2:], 2, 0)
    assert union([one, other]).same(patch) and union([one]) is one
    assert iou(patch, one) == 0.5 and iou(one, other) == 0 and iou(patch, patch) == 1
    assert iou(Patch.of(mask[:0]), Patch.of(mask[:0])) == 1
