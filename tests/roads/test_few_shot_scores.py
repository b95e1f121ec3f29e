"""Scores of a few-shot network from counts made by hand."""

from pathlib import Path

import numpy as np
import pytest

from tests.messages import raises
from wsss_stages.config.options import SclEvaluate
from wsss_stages.data.few_shot.episode_pools import Episode, EpisodeError, Pool
from wsss_stages.data.few_shot.episodes import Episodes
from wsss_stages.data.index import Index
from wsss_stages.roads import few_shot_scores

NAMES = ["background", "cat", "dog", "cow"]


def counts(*seeds):
    """Counts of two classes of four; of each class (others right, others wrong, missed, found)."""
    found = np.zeros((len(seeds), 4, 2, 2), np.int64)
    for seed, (cat, dog) in enumerate(seeds):
        found[seed, 1], found[seed, 2] = np.reshape(cat, (2, 2)), np.reshape(dog, (2, 2))
    return found


def test_miou_is_over_new_classes_and_fb_iou_over_all_pixels():
    found = few_shot_scores.scores_of(counts(((2, 2, 0, 4), (4, 0, 3, 1))), [1, 2], NAMES)
    assert found["iou"] == {"cat": [pytest.approx(4 / 6)], "dog": [0.25]}
    assert found["miou"] == [pytest.approx((4 / 6 + 1 / 4) / 2)]
    assert found["fb_iou"] == [pytest.approx((6 / 11 + 5 / 10) / 2)]


def test_a_class_without_episodes_has_no_iou_and_does_not_count():
    found = few_shot_scores.scores_of(counts(((0, 1, 1, 2), (0, 0, 0, 0))), [1, 2], NAMES)
    assert found["iou"]["dog"] == [None] and found["miou"] == [0.5]


def episodes(supports=2) -> Episodes:
    test = [[Episode("q", tuple("st"[:supports]), 1), Episode("r", tuple("qt"[:supports]), 2)]]
    return Episodes(1, [1, 2], Pool({}, {}, 0), Pool({}, {}, 0), test, {})


def test_a_summary_counts_each_image_once_and_lines_tell_the_deviation():
    index = Index("toy", Path("none"), NAMES, {}, {})
    row = counts(((0, 0, 0, 1), (0, 0, 0, 1)), ((0, 0, 1, 1), (0, 0, 1, 1)))
    content = few_shot_scores.summary(index, episodes(), SclEvaluate(), 0.5, {"1-shot": row})
    assert content["images"] == 4 and content["pairs"] == 2 and content["novel"] == ["cat", "dog"]
    (line,) = few_shot_scores.lines(content)
    assert line.startswith("fold 1, 1-shot: mIoU 75.0 ± 35.4 %") and line.endswith("over 2 seeds of 2 episodes")


@pytest.mark.parametrize("shots", [[0, 1], [1, 3]])
def test_more_supports_than_an_episode_has_are_refused(shots):
    few_shot_scores.few_enough([1, 2], episodes())
    with raises(EpisodeError, "--shots", "2"):
        few_shot_scores.few_enough(shots, episodes())
