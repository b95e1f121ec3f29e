"""Every row and column of a tight box touches its object."""

import pytest
import torch

from wsss_stages.a2gnn.tight_boxes import touch_all_sides

BOX = torch.tensor([[1, 1, 4, 4]])
ONE = torch.tensor([1])


def weak_object():
    """5 x 5 pixels; a cross in the middle of a box of 3 x 3 is the object, as strong as 0.3 against 0.7."""
    P = torch.full((2, 5, 5), 0.1)
    P[1, 2, 1:4] = P[1, 1:4, 2] = 0.3
    P[0] = 1 - P[1]
    return P


def test_an_object_below_one_half_appears_and_nothing_else():
    found = touch_all_sides(weak_object(), BOX, ONE, 1.0)
    torch.testing.assert_close(found.sum(dim=0), torch.ones(5, 5))
    assert (found[1] > 0.5).nonzero().tolist() == [[1, 2], [2, 1], [2, 2], [2, 3], [3, 2]]
    outside = torch.ones(5, 5, dtype=torch.bool)
    outside[1:4, 1:4] = False
    torch.testing.assert_close(found[:, outside], weak_object()[:, outside])


def test_a_box_whose_object_touches_all_sides_stays_as_it_is():
    P = weak_object()
    P[1, 1:4, 1:4] = P[1, 1:4, 1:4] * 3
    P[0] = 1 - P[1]
    torch.testing.assert_close(touch_all_sides(P, BOX, ONE, 1.0), P)


def test_a_share_below_one_forgives_the_emptiest_rows():
    P = weak_object()
    P[1, 1] = 0.001
    P[0] = 1 - P[1]
    strict, lenient = (touch_all_sides(P, BOX, ONE, share)[1] for share in (1.0, 0.8))
    assert strict[2, 1] > lenient[2, 1] > 0.5


def test_overlapping_boxes_of_a_class_do_not_add_up():
    twice = touch_all_sides(weak_object(), BOX.repeat(2, 1), ONE.repeat(2), 1.0)
    torch.testing.assert_close(twice, touch_all_sides(weak_object(), BOX, ONE, 1.0))


@pytest.mark.parametrize("boxes, share", [(BOX, 0.0), (torch.zeros(0, 4, dtype=torch.long), 0.9)])
def test_without_demand_or_boxes_nothing_changes(boxes, share):
    rows = ONE[: len(boxes)]
    torch.testing.assert_close(touch_all_sides(weak_object(), boxes, rows, share), weak_object())


def test_certainty_of_background_gives_no_nan():
    P = torch.zeros(2, 5, 5)
    P[0] = 1
    assert torch.isfinite(touch_all_sides(P, BOX, ONE, 1.0)).all()
