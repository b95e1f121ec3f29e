"""Masks of boxes, against loops over pixels."""

import numpy as np
import pytest

from wsss_stages import UNKNOWN
from wsss_stages.a2gnn.instances import bounds, box_masks, filled

H, W = 9, 11


def drawn(seed, k=5):
    """A label map, boxes and classes, with overlaps of the same class and of others."""
    rng = np.random.default_rng(seed)
    low = rng.integers(0, (W - 2, H - 2), (k, 2))
    high = np.minimum(low + rng.integers(1, 8, (k, 2)), (W, H))
    labels = rng.choice(np.uint8([0, 1, 2, UNKNOWN]), (H, W))
    return labels, np.concatenate([low, high], axis=1), rng.integers(1, 3, k).astype(np.uint8)


def by_loops(labels, boxes, classes, overlap):
    if overlap == "smaller":
        alone, shared = by_loops(labels, boxes, classes, "alone"), by_loops(labels, boxes, classes, "thesis")
        return np.array([a if a.any() else s for a, s in zip(alone, shared, strict=True)])
    masks = np.zeros((len(boxes), H, W), bool)
    for y in range(H):
        for x in range(W):
            covering = [
                n
                for n, (x0, y0, x1, y1) in enumerate(boxes)
                if x0 <= x < x1 and y0 <= y < y1 and labels[y, x] == classes[n]
            ]
            if overlap == "alone" and covering:
                covering = [
                    min(covering, key=lambda n: ((boxes[n, 2] - boxes[n, 0]) * (boxes[n, 3] - boxes[n, 1]), -n))
                ]
            for n in covering:
                masks[n, y, x] = True
    return masks


@pytest.mark.parametrize("overlap", ["smaller", "thesis"])
@pytest.mark.parametrize("seed", range(8))
def test_masks_are_those_of_the_loops(seed, overlap):
    labels, boxes, classes = drawn(seed)
    np.testing.assert_array_equal(box_masks(labels, boxes, classes, overlap), by_loops(labels, boxes, classes, overlap))


def test_the_smaller_of_two_boxes_of_a_class_takes_the_overlap_and_another_class_takes_none():
    labels = np.uint8([[1, 1, 1, 2, 0, UNKNOWN]])
    boxes, classes = np.array([[0, 0, 6, 1], [1, 0, 4, 1], [0, 0, 6, 1]]), np.uint8([1, 1, 2])
    large, small, other = box_masks(labels, boxes, classes, "smaller").astype(int)
    assert large.tolist() == [[1, 0, 0, 0, 0, 0]] and small.tolist() == [[0, 1, 1, 0, 0, 0]]
    assert other.tolist() == [[0, 0, 0, 1, 0, 0]]
    assert box_masks(labels, boxes, classes, "thesis")[0].tolist() == [[True, True, True, False, False, False]]


def test_the_rule_moves_pixels_between_boxes_and_loses_none():
    labels, boxes, classes = drawn(3, k=12)
    smaller, every = (box_masks(labels, boxes, classes, overlap) for overlap in ("smaller", "thesis"))
    assert smaller.sum() < every.sum()
    np.testing.assert_array_equal(smaller.any(axis=0), every.any(axis=0))


def test_equal_boxes_of_a_class_share_their_pixels_and_none_is_empty():
    labels = np.uint8([[1, 1, 0, 1]])
    found = box_masks(labels, np.array([[0, 0, 3, 1]] * 2), np.uint8([1, 1]), "smaller")
    assert found.astype(int).tolist() == [[[1, 1, 0, 0]]] * 2


def test_no_box_no_mask():
    none = np.zeros((0, 4), int), np.zeros(0, np.uint8)
    assert box_masks(np.ones((H, W), np.uint8), *none, "smaller").shape == (0, H, W)
    assert filled(none[0], H, W).shape == (0, H, W)


def test_bounds_of_a_filled_box_are_the_box_and_of_nothing_zeros():
    _, boxes, _ = drawn(1)
    masks = filled(boxes, H, W)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes, strict=True):
        wanted = np.zeros((H, W), bool)
        wanted[y0:y1, x0:x1] = True
        np.testing.assert_array_equal(mask, wanted)
    np.testing.assert_array_equal(bounds(masks), boxes)
    assert bounds(np.zeros((1, H, W), bool)).tolist() == [[0, 0, 0, 0]]
