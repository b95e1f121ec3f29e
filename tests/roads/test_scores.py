"""Scores from label maps made by hand."""

import numpy as np
import pytest

from wsss_stages.data.record import Record
from wsss_stages.roads.scores import Scores, frequent_classes

CLASSES = ["background", "cat", "dog"]


def records(*tags):
    return [Record(str(n), "", "", 2, 2, 2, 2, tags=list(of_image)) for n, of_image in enumerate(tags)]


def test_a_class_that_many_images_show_is_frequent_and_background_with_it():
    shown = records([1], [1, 2], [1])
    assert frequent_classes(shown, 3, 2).tolist() == [True, True, False]
    assert frequent_classes(shown, 3, 4).tolist() == [False, False, False]


def test_pixels_are_summed_over_images_and_unknown_ones_are_background():
    truth = np.uint8([[0, 1], [1, 255]])
    scores = Scores(["a"], CLASSES, 0.02)
    scores.add(truth, {"a": np.uint8([[0, 1], [255, 2]])})
    scores.add(truth, {"a": np.uint8([[0, 1], [1, 2]])})
    row = scores.rows(np.array([True, False, False]))["a"]
    assert row["confusion"] == [[2, 0, 0], [1, 3, 0], [0, 0, 0]]
    assert row["iou"] == {"background": pytest.approx(2 / 3), "cat": 0.75, "dog": None}
    assert row["miou"] == pytest.approx((2 / 3 + 3 / 4) / 2) and row["miou_frequent"] == pytest.approx(2 / 3)
    assert row["unknown"] == 0.125 and scores.images == 2


def test_a_label_map_of_another_size_is_brought_to_the_truths():
    scores = Scores(["a"], CLASSES, 0.02)
    scores.add(np.ones((4, 6), np.uint8), {"a": np.ones((2, 3), np.uint8)})
    assert scores.rows(np.ones(3, bool))["a"]["miou"] == 1


def test_without_images_there_are_no_scores():
    scores = Scores(["a"], CLASSES, 0.02)
    row = scores.rows(np.zeros(3, bool))["a"]
    assert row["miou"] is None and row["unknown"] == 0 and set(row["iou"].values()) == {None}
    assert scores.outlines() == {"across": None, "inside": None, "pairs_across": 0, "pairs_inside": 0}


def test_edges_are_means_over_the_pairs_of_all_images():
    scores = Scores([], CLASSES, 0.02)
    scores.add_edges(np.array([1.0, 4]), np.array([3.0, 4]))
    scores.add_edges(np.array([1.0, 0]), np.array([3.0, 4]))
    assert scores.outlines() == {"across": 0.5, "inside": 0.75, "pairs_across": 4, "pairs_inside": 8}
