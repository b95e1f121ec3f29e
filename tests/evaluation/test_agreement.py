"""Agreement of label maps and boxes against plain loops and cases by hand."""

import numpy as np
import pytest

from wsss_stages import UNKNOWN
from wsss_stages.evaluation.agreement import agreement, agreements, sides_hit


def by_loops(a, b, tags, classes):
    """Mean IoU over classes, one pixel at a time."""
    pixels = [(int(p), int(q)) for p, q in zip(a.ravel(), b.ravel(), strict=True)]
    known = [(p, q) for p, q in pixels if UNKNOWN not in (p, q)]
    values = []
    for c in range(classes):
        either = [pair for pair in known if c in pair]
        if either:
            values.append(sum(p == q for p, q in either) / len(either))
        elif c in tags and not any(c in pair for pair in pixels):
            values.append(0)
    return sum(values) / len(values) if known else None


def maps(values, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.choice(np.uint8(values), (4, 5)) for _ in range(2)]


@pytest.mark.parametrize("values", [[0, 1, 2, 3, UNKNOWN], [0, 2], [0, UNKNOWN], [1, 3, UNKNOWN], [2], [UNKNOWN]])
def test_agreement_is_the_mean_iou_of_what_both_know(values):
    a, b = maps(values)
    for tags in ([], [1, 3]):
        assert agreement(a, b, tags, 5) == pytest.approx(by_loops(a, b, tags, 5))
        assert agreement(a, b, tags, 5) == pytest.approx(agreement(b, a, tags, 5))


def test_missing_a_class_together_is_not_agreement():
    empty, shown, unknown = np.uint8([[0, 0, 0]]), np.uint8([[0, 0, 1]]), np.uint8([[0, 0, UNKNOWN]])
    assert agreement(empty, empty, [], 2) == 1
    assert agreement(empty, empty, [1], 2) == 0.5
    assert agreement(unknown, shown, [1], 2) == 1, "where one does not know, nothing is missed"
    assert agreement(unknown, np.uint8([[UNKNOWN, UNKNOWN, 1]]), [1], 2) is None


@pytest.mark.parametrize("order", [(1, 0, 2, 3), (3, 2, 0, 1)])
def test_renaming_classes_changes_nothing(order):
    a, b = maps([0, 1, 2, 3, UNKNOWN])
    names = np.append(np.uint8(order), np.full(252, UNKNOWN, np.uint8))
    assert agreement(names[a], names[b], [], 4) == pytest.approx(agreement(a, b, [], 4))


def test_every_pair_that_has_a_common_pixel():
    found = agreements({"a": np.uint8([[0, 1]]), "b": np.uint8([[0, UNKNOWN]]), "c": np.uint8([[UNKNOWN, 0]])}, [1], 2)
    assert found == {("a", "b"): 1, ("a", "c"): 0}


def test_sides_hit_by_hand():
    label = np.zeros((5, 6), np.uint8)
    label[1, 1:4] = label[3, 2] = 7
    label[2, 2] = 3
    boxes = np.array([[1, 1, 5, 4], [0, 4, 2, 5]])  # 3 rows and 4 columns; 1 row and 2 columns
    assert sides_hit(label, boxes[:1], np.uint8([7])) == pytest.approx((2 + 3) / 7)
    assert sides_hit(label, boxes, np.uint8([7, 7])) == pytest.approx((5 / 7 + 0) / 2)
    assert sides_hit(label, boxes[:0], np.uint8([])) is None


def test_a_filled_box_is_hit_everywhere():
    label = np.zeros((5, 6), np.uint8)
    label[1:4, 2:6] = 2
    assert sides_hit(label, np.array([[2, 1, 6, 4]]), np.uint8([2])) == 1
