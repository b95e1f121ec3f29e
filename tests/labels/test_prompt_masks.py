"""Stored masks of prompts, hard and soft, and the labels that are made from them, in hand-made cases."""

import numpy as np
import pytest

from wsss_stages import UNKNOWN
from wsss_stages.labels.connected import bounds
from wsss_stages.labels.prompt_labels import agreeing, by_masks, label_of
from wsss_stages.labels.prompt_masks import PromptMasks, Soft, StoredMasks, pack, substitute
from wsss_stages.labels.prompts import Prompt

PROMPTS = [Prompt(2, "box", (1, 1, 6, 5)), Prompt(1, "point"), Prompt(3, "tag")]
Q = UNKNOWN


def hard():
    masks = np.zeros((3, 7, 11), bool)
    masks[0, 2:5, 1:6], masks[1, 0:2, 7:10] = True, True
    return masks


def soft():
    rng = np.random.default_rng(0)
    nothing = Soft((0, 0, 0, 0), np.zeros((0, 0), np.uint8))
    regions = (1, 1, 6, 5), (7, 0, 11, 3)
    return [*(Soft(r, rng.integers(0, 256, (r[3] - r[1], r[2] - r[0]), np.uint8)) for r in regions), nothing]


def stored(made):
    return StoredMasks(pack(PROMPTS, made), 11)


def test_masks_and_their_facts_come_back():
    found = stored(PromptMasks(hard(), ["", "", "mask_missing"], np.array([1, 0.5, 0])))
    np.testing.assert_array_equal(found.hard, hard())
    assert found.substituted.tolist() == [False, False, True] and found.classes.tolist() == [2, 1, 3]
    assert found.of("box").tolist() == [True, False, False] and found.of("point", "tag").tolist() == [False, True, True]


def test_the_probabilities_within_a_box_are_those_of_the_soft_mask():
    parts = soft()
    found = stored(PromptMasks(hard(), ["", "", "mask_missing"], np.zeros(3), parts))
    for number, box in ((0, (1, 1, 6, 5)), (0, (0, 0, 11, 7)), (1, (5, 0, 10, 2))):
        whole = np.zeros((7, 11))
        x0, y0, x1, y1 = parts[number].region
        whole[y0:y1, x0:x1] = parts[number].P / 255
        x0, y0, x1, y1 = box
        np.testing.assert_allclose(found.within(number, box), whole[y0:y1, x0:x1], rtol=1e-6)


def test_a_hard_or_substituted_mask_has_probabilities_of_0_and_1():
    only_hard = stored(PromptMasks(hard(), ["", "", ""], np.zeros(3)))
    assert only_hard.within(0, (0, 1, 4, 4)).tolist() == hard()[0, 1:4, 0:4].astype(float).tolist()
    failed = stored(PromptMasks(hard(), ["sam_empty", "", ""], np.zeros(3), soft()))
    assert failed.within(0, (0, 1, 4, 4)).tolist() == hard()[0, 1:4, 0:4].astype(float).tolist()


def test_no_prompts_are_no_masks():
    found = StoredMasks(pack([], PromptMasks(np.zeros((0, 7, 11), bool), [], np.zeros(0))), 11)
    assert found.hard.shape == (0, 7, 11) and not found.of("box").any()


def test_a_box_is_taken_whole_and_another_prompt_has_nothing():
    made = substitute(hard(), ["grabcut_empty", "sam_empty", ""], PROMPTS)
    assert made[0].sum() == 20 and made[0, 1:5, 1:6].all() and not made[1].any()
    assert hard()[1].any(), "what was given stays as it was"


def test_the_smaller_mask_has_a_pixel_of_two():
    masks = np.array([[[1, 1, 1, 0]], [[0, 1, 0, 0]]], bool)
    assert label_of(masks, np.uint8([5, 7])).tolist() == [[5, 7, 5, Q]]
    assert label_of(masks[:0], np.zeros(0, np.uint8)).tolist() == [[Q, Q, Q, Q]]


def test_marks_come_before_masks_and_superpixels_take_what_has_no_mask():
    marks = np.uint8([[Q, 1, Q, Q, 0, Q, 2, Q]])
    parts = np.array([[0, 0, 1, 1, 2, 2, 3, 3]])
    masks = np.array([[[0, 0, 1, 1, 0, 0, 0, 0]], [[0, 0, 0, 0, 0, 0, 0, 0]]], bool)
    found = by_masks([marks], parts, masks, np.uint8([1, 2]), np.array([False, True]))
    assert found.tolist() == [[Q, 1, 1, 1, 0, 0, 2, 2]]


def test_masks_of_tags_count_where_the_cam_agrees_and_its_own_classes_nowhere_else():
    M_I = np.uint8([[1, 1, 1, 0, 0, 2, Q, 3]])
    masks = np.array([[[0, 1, 1, 1, 0, 0, 0, 0]]], bool)
    M_B, seeds = agreeing(M_I, M_I, masks, np.uint8([1]))
    assert M_B.tolist() == [[Q, 1, 1, 1, 0, 2, Q, 3]]
    assert seeds.tolist() == [[Q, 1, 1, Q, 0, 2, Q, 3]]


def test_a_mask_whose_class_the_cam_does_not_see_is_kept_whole():
    M_I = np.uint8([[0, 0, 0, 2]])
    M_B, seeds = agreeing(M_I, M_I, np.array([[[0, 1, 1, 0]]], bool), np.uint8([1]))
    assert M_B.tolist() == seeds.tolist() == [[0, 1, 1, 2]]


@pytest.mark.parametrize("box", [(2, 1, 5, 6), (0, 0, 1, 1), (3, 2, 11, 7)])
def test_the_bounds_of_a_filled_box_are_the_box(box):
    mask = np.zeros((7, 11), bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    assert bounds(mask) == box
