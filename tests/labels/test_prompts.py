"""Prompts from weak labels: hand-made cases, and the spread of points by plain loops."""

import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.labels import prompts as by


def test_boxes_keep_their_order_and_classes():
    found = by.of_boxes(np.array([[1, 2, 5, 6], [0, 0, 9, 9]]), np.array([3, 1], np.uint8))
    assert [(p.cls, p.kind, p.box) for p in found] == [(3, "box", (1, 2, 5, 6)), (1, "box", (0, 0, 9, 9))]
    assert all(len(p.inside) == len(p.outside) == 0 for p in found)


def test_a_click_is_inside_and_those_of_other_classes_are_outside():
    found = by.of_clicks([[3, 4, 1], [5, 6, 2], [7, 8, 1], [0, 9, 0]])
    assert [(p.cls, p.inside.tolist(), p.outside.tolist()) for p in found] == [
        (1, [[3, 4]], [[5, 6], [0, 9]]),
        (2, [[5, 6]], [[3, 4], [7, 8], [0, 9]]),
        (1, [[7, 8]], [[5, 6], [0, 9]]),
    ]
    assert by.of_clicks([]) == [] and by.of_clicks([[1, 1, 0]]) == []


def marks():
    """Two scribbles of class 1, one of class 2, one of background."""
    drawn = np.full((30, 40), UNKNOWN, np.uint8)
    drawn[3:6, 2:20] = 1
    drawn[20:23, 25:38] = 1
    drawn[10:28, 5:8] = 2
    drawn[28:30, 12:36] = 0
    return drawn


def test_every_scribble_is_asked_along_its_middle_and_others_are_outside():
    found = by.of_scribbles(marks(), 4)
    assert [p.cls for p in found] == [1, 1, 2]
    for prompt, rows in zip(found, ((3, 6), (20, 23), (10, 28)), strict=True):
        assert len(prompt.inside) == 4 and all(rows[0] <= y < rows[1] for _, y in prompt.inside)
        assert all(marks()[y, x] == prompt.cls for x, y in prompt.inside)
        assert len(prompt.outside) == 4 and all(marks()[y, x] not in (prompt.cls, UNKNOWN) for x, y in prompt.outside)
    assert [y for x, y in found[0].inside if 4 < x < 17] == [4, 4], "the skeleton of a bar three pixels wide"
    spread = found[0].inside[:, 0]
    assert spread.max() - spread.min() > 12


def test_a_dot_of_one_pixel_is_a_scribble_too():
    drawn = np.full((9, 9), UNKNOWN, np.uint8)
    drawn[4, 6] = 2
    (prompt,) = by.of_scribbles(drawn, 5)
    assert prompt.inside.tolist() == [[6, 4]] and len(prompt.outside) == 0


def test_points_are_spread_by_the_farthest_next():
    points = np.random.default_rng(0).integers(0, 50, (30, 2))
    chosen = [0]
    while len(chosen) < 7:
        gaps = [min(sum((points[k] - points[c]) ** 2) for c in chosen) for k in range(len(points))]
        chosen.append(int(np.argmax(gaps)))
    np.testing.assert_array_equal(by._spread(points, 7), points[chosen])
    np.testing.assert_array_equal(by._spread(points, 30), points)


def test_tags_are_asked_by_the_parts_of_their_cams_the_strongest_first():
    cam = np.zeros((2, 20, 30), np.float32)
    cam[0, 2:6, 3:9], cam[0, 3, 4] = 0.6, 0.7
    cam[0, 10:18, 20:28], cam[0, 15, 21] = 0.8, 1.0
    cam[0, 0, 29] = 0.3
    cam[1, 14:18, 2:6], cam[1, 16, 3] = 0.5, 0.9
    found = by.of_cams(cam, [1, 4], [1, 4], 3, 0.5)
    assert [(p.cls, p.box, p.inside.tolist(), p.outside.tolist()) for p in found] == [
        (1, (20, 10, 28, 18), [[21, 15]], [[3, 16]]),
        (1, (3, 2, 9, 6), [[4, 3]], [[3, 16]]),
        (4, (2, 14, 6, 18), [[3, 16]], [[21, 15], [4, 3]]),
    ]
    assert len(by.of_cams(cam, [1, 4], [1], 1, 0.5)) == 1 and by.of_cams(0 * cam, [1, 4], [1, 4], 3, 0.5) == []


def test_a_peak_of_another_class_inside_the_box_says_nothing():
    cam = np.zeros((2, 12, 12), np.float32)
    cam[0, 1:10, 1:10], cam[0, 2, 2] = 0.8, 1.0
    cam[1, 5:7, 5:7], cam[1, 5, 5] = 0.8, 1.0
    whole, inner = by.of_cams(cam, [1, 2], [1, 2], 3, 0.5)
    assert len(whole.outside) == 0 and inner.outside.tolist() == [[2, 2]]
