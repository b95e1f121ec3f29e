"""The order of a review and what it says of scores, from numbers made by hand."""

import numpy as np
import pytest

from wsss_stages.data.record import Record
from wsss_stages.roads import review_pages
from wsss_stages.roads.review import against, mean, outlined, seeds_kept, worst_first

NONE = float("nan")


def test_the_worst_is_first_equal_ones_by_id_and_those_without_a_score_last():
    assert worst_first(["d", "c", "b", "a"], np.array([0.5, NONE, 0.5, 0.9])) == [2, 0, 3, 1]


def test_a_mean_is_of_what_there_is():
    assert mean([None, 1.0, 2.0]) == 1.5 and mean([None]) is None


def test_seeds_that_nobody_checked_have_no_share():
    assert seeds_kept({"object_seeds": 4, "object_seeds_inconsistent": 1}) == 0.75
    assert seeds_kept({"object_seeds": 0}) is None and seeds_kept({}) is None


def test_boxes_taken_whole_lower_the_share_of_those_outlined():
    assert outlined({"boxes": 4, "boxes_substituted": 3, "box_class_not_in_cam": 1}) == 0.25
    assert (
        outlined({"boxes": 3, "boxes_substituted": 0}) == 1 and outlined({"boxes": 0}) is None and outlined({}) is None
    )


def test_a_score_is_measured_where_truth_is_known():
    scores, iou = np.array([0.1, 0.2, 0.3, 0.6, NONE]), np.array([0.9, 0.8, 0.1, NONE, 0.5])
    found = against(scores, iou)
    assert found == {
        "images": 4,
        "mean": pytest.approx(0.3),
        "images_with_truth": 3,
        "rank_correlation": pytest.approx(-1),
    }


def test_the_page_shows_shares_in_per_cent_and_correlations_with_a_sign():
    assert review_pages.shown("mean", 0.25) == 25.0 and review_pages.shown("images", 4) == 4
    assert (
        review_pages.shown("rank_correlation", 0.5) == "+0.50" and review_pages.shown("rank_correlation", None) is None
    )


def test_an_image_whose_label_is_truth_says_so():
    records = [Record("a" * 30, "a.jpg", "", 2, 2, 2, 2, truth_sha256=sha) for sha in ("", "0")]
    assert review_pages.scored(records[0], 0.5) == "a" * 20 + "\nscore 0.50"
    assert review_pages.scored(records[0], NONE).endswith("\nno score")
    assert review_pages.scored(records[1], NONE).endswith("\nlabel is truth")
