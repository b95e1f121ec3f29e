"""Every box keeps its object: made boxes that nest, cross and equal each other, and counts by loops."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wsss_stages.a2gnn.kept_boxes import keep_objects, without_object
from wsss_stages.a2gnn.object_masks import merge
from wsss_stages.a2gnn.tight_boxes import touch_all_sides

SHARE, LINES = 0.1, 0.98
SIZE = 40


@st.composite
def boxes_of_an_image(draw):
    """2 to 6 boxes of 12 and more pixels a side; each after the first is anywhere, or lies within, across or on an earlier one."""
    boxes = []
    for _ in range(draw(st.integers(2, 6))):
        low = [draw(st.integers(0, SIZE - 12)) for _ in "xy"]
        x0, y0, x1, y1 = *low, *(draw(st.integers(v + 12, SIZE)) for v in low)
        if boxes:
            a0, b0, a1, b1 = draw(st.sampled_from(boxes))
            inner = a0 + (a1 - a0 - 12) // 2, b0 + (b1 - b0 - 12) // 2
            within = (*inner, inner[0] + 12, inner[1] + 12)
            across = (max(a0 - 4, 0), within[1], min(a1 + 4, SIZE), within[3])
            x0, y0, x1, y1 = draw(st.sampled_from([(x0, y0, x1, y1), within, across, (a0, b0, a1, b1)]))
        boxes.append((x0, y0, x1, y1))
    classes = [draw(st.integers(1, 4)) for _ in boxes]
    return np.array(boxes), np.uint8(classes)


def drawn(boxes, classes, seed):
    """A label map that knows nothing of the boxes, in patches of 8 pixels, and probabilities that go with it."""
    P = np.random.default_rng(seed).dirichlet([0.3] * 5, (SIZE // 8, SIZE // 8)).repeat(8, 0).repeat(8, 1)
    label, own = (
        P.argmax(axis=2).astype(np.uint8),
        [P[y0:y1, x0:x1, c] for (x0, y0, x1, y1), c in zip(boxes, classes, strict=True)],
    )
    return label, P.max(axis=2), own


def share_and_lines(label, box, c):
    """Return by loops the share of a box's pixels with its class, and of its rows and columns with one of them."""
    x0, y0, x1, y1 = box.tolist()
    pixels = [
        (y, x)
        for y, line in enumerate(label.tolist())
        for x, v in enumerate(line)
        if v == c and x0 <= x < x1 and y0 <= y < y1
    ]
    lines = len({y for y, _ in pixels}) + len({x for _, x in pixels})
    return len(pixels) / ((y1 - y0) * (x1 - x0)), lines / (y1 - y0 + x1 - x0)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(boxes_of_an_image(), st.integers(0, 99))
def test_every_box_keeps_its_share_and_touches_its_sides(made, seed):
    boxes, classes = made
    label, confidence, own = drawn(boxes, classes, seed)
    found, sure = keep_objects(label, confidence, own, boxes, classes, SHARE, LINES)
    for box, c in zip(boxes, classes, strict=True):
        share, lines = share_and_lines(found, box, c)
        assert share >= SHARE and lines >= LINES
    assert without_object(found, boxes, classes) == 0
    changed = found != label
    P = np.zeros((SIZE, SIZE, 5))
    for (x0, y0, x1, y1), c, p in zip(boxes, classes, own, strict=True):
        P[y0:y1, x0:x1, c] = p
    rows, columns = np.nonzero(changed)
    np.testing.assert_array_equal(sure[changed], P[rows, columns, found[changed]])
    np.testing.assert_array_equal(sure[~changed], confidence[~changed])
    turned = keep_objects(label, confidence, own[::-1], boxes[::-1], classes[::-1], SHARE, LINES)[0]
    np.testing.assert_array_equal(turned, found)


def test_a_label_that_shows_every_box_stays_as_it_is():
    label = np.uint8([[1, 1, 0], [1, 1, 2]])
    boxes, classes = np.array([[0, 0, 2, 2], [2, 1, 3, 2]]), np.uint8([1, 2])
    own = [np.ones((2, 2)), np.ones((1, 1))]
    np.testing.assert_array_equal(keep_objects(label, np.ones((2, 3)), own, boxes, classes, SHARE, 1.0)[0], label)


def test_the_pixels_that_change_are_the_most_probable_ones_and_no_more_than_needed():
    label, confidence = np.full((4, 5), 3, np.uint8), np.full((4, 5), 0.5)
    own = np.linspace(0.01, 0.2, 20).reshape(4, 5)
    box, cls = np.array([[0, 0, 5, 4]]), np.uint8([1])
    found, sure = keep_objects(label, confidence, [own], box, cls, SHARE, 0.0)
    assert (found == 1).nonzero()[1].tolist() == [3, 4] and found[3, 3] == found[3, 4] == 1
    assert sure[3, 4] == own[3, 4] and sure[0, 0] == 0.5


def test_equal_boxes_of_two_classes_share_what_there_is_each_with_its_best_pixels():
    boxes, classes = np.array([[0, 0, 10, 10]] * 2), np.uint8([1, 2])
    own = [np.full((10, 10), 0.1), np.full((10, 10), 0.1)]
    own[0][0], own[1][9] = 0.3, 0.3
    label, confidence = np.zeros((10, 10), np.uint8), np.full((10, 10), 0.5)
    found, _ = keep_objects(label, confidence, own, boxes, classes, SHARE, 0.0)
    assert (found[0] == 1).all() and (found[9] == 2).all() and (found[1:9] == 0).all()


def test_a_share_of_0_changes_nothing():
    label, box = np.zeros((4, 4), np.uint8), np.array([[0, 0, 4, 4]])
    found, _ = keep_objects(label, np.ones((4, 4)), [np.ones((4, 4))], box, np.uint8([1]), 0.0, 1.0)
    assert not found.any() and without_object(found, box, np.uint8([1])) == 1


def test_an_image_without_boxes_is_left_alone():
    label = np.zeros((3, 4), np.uint8)
    found, _ = keep_objects(label, np.ones((3, 4)), [], np.zeros((0, 4), int), np.zeros(0, np.uint8), SHARE, LINES)
    np.testing.assert_array_equal(found, label)


def test_a_passenger_in_the_window_of_a_bus_wins_where_masks_are_merged_and_where_sides_are_touched():
    boxes, rows = np.array([[0, 0, 20, 12], [6, 4, 10, 8]]), torch.tensor([1, 2])
    P = merge([torch.full((12, 20), 0.95), torch.full((4, 4), 0.7)], boxes, rows, 3, 12, 20)
    label = P.argmax(dim=0)
    assert (label[4:8, 6:10] == 2).all() and (label == 2).sum() == 16
    weak = merge([torch.full((12, 20), 0.95), torch.full((4, 4), 0.2)], boxes, rows, 3, 12, 20)
    assert not (weak.argmax(dim=0) == 2).any()
    raised = touch_all_sides(weak, torch.from_numpy(boxes), rows, 1.0).argmax(dim=0)
    assert (raised[4:8, 6:10] == 2).all() and (raised == 1).sum() == 240 - 16
