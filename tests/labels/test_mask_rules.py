"""Rules for a promptable network's masks, in hand-made cases, and the choice among answers by plain loops."""

import numpy as np
import pytest

from wsss_stages.labels import mask_rules as rules
from wsss_stages.labels.prompts import Prompt

BOX = Prompt(1, "box", (10, 10, 30, 20))
CLICK = Prompt(1, "point", None, np.array([[12, 12]]), np.array([[30, 5]]))
TAG = Prompt(1, "tag", (10, 10, 30, 20), np.array([[12, 12]]))


def filled(x0, y0, x1, y1, h=24, w=40):
    mask = np.zeros((h, w), bool)
    mask[y0:y1, x0:x1] = True
    return mask


@pytest.mark.parametrize(
    "mask, prompt, reason",
    [
        (filled(12, 11, 28, 19), BOX, ""),
        (filled(0, 0, 0, 0), BOX, "sam_empty"),
        (~filled(10, 10, 30, 20), BOX, "sam_outside_its_box"),
        (filled(0, 0, 40, 24), BOX, "sam_outside_its_box"),
        (filled(12, 11, 16, 18), BOX, "sam_fills_too_little"),
        (filled(8, 8, 20, 18), CLICK, ""),
        (~filled(8, 8, 20, 18), CLICK, "sam_misses_its_prompt"),
        (filled(8, 2, 38, 18), CLICK, "sam_takes_others"),
        (filled(0, 0, 40, 24), CLICK, "sam_whole_image"),
        (filled(0, 0, 20, 24), TAG, ""),
    ],
)
def test_an_answer_that_is_no_object_has_a_reason(mask, prompt, reason):
    assert rules.fault(mask, prompt, 0.15) == reason


def test_a_box_around_the_whole_image_may_be_filled():
    assert rules.fault(filled(0, 0, 40, 24), Prompt(1, "box", (0, 0, 40, 24)), 0.15) == ""


def test_a_mask_is_clipped_to_a_box_that_was_drawn_and_not_to_one_of_a_cam():
    wide = filled(5, 12, 35, 18)
    np.testing.assert_array_equal(rules.clipped(wide, BOX), filled(10, 12, 30, 18))
    np.testing.assert_array_equal(rules.clipped(wide, TAG), wide)


def test_specks_and_holes_go_and_large_parts_stay():
    clean = filled(2, 2, 22, 12) | filled(28, 2, 38, 12)
    dirty = clean.copy()
    dirty[5, 5], dirty[20, 20] = False, True
    np.testing.assert_array_equal(rules.tidied(dirty, 0.02), clean)
    np.testing.assert_array_equal(rules.tidied(dirty, 0.0), dirty)


def test_of_nothing_but_specks_the_largest_stays():
    specks = filled(0, 0, 3, 1) | filled(10, 10, 12, 11) | filled(20, 20, 21, 21)
    np.testing.assert_array_equal(rules.tidied(specks, 0.9), filled(0, 0, 3, 1))


def agreement(mask, cam, parts):
    """Agreement with CAM and superpixels, pixel by pixel."""
    h, w = mask.shape
    both = sum(min(float(mask[y, x]), cam[y, x]) for y in range(h) for x in range(w))
    either = sum(max(float(mask[y, x]), cam[y, x]) for y in range(h) for x in range(w))
    torn = 0
    for part in set(parts.ravel().tolist()):
        inside = sum(mask[y, x] for y in range(h) for x in range(w) if parts[y, x] == part)
        whole = sum(parts[y, x] == part for y in range(h) for x in range(w))
        torn += min(inside, whole - inside)
    return both / either * max(0, 1 - torn / mask.sum())


def test_the_answer_is_chosen_that_agrees_with_cam_and_superpixels():
    rng = np.random.default_rng(1)
    cam, parts = rng.random((12, 16)), rng.integers(0, 9, (12, 16))
    masks = np.stack([filled(x, 1, x + 9, 9, 12, 16) for x in (0, 3, 6)])
    values = [agreement(mask, cam, parts) for mask in masks]
    for mask, value in zip(masks, values, strict=True):
        assert rules._with_cam(mask, cam) * rules._with_parts(mask, parts) == pytest.approx(value)
    cam[1:9, 3:12], parts[:] = 1, 0
    parts[1:9, 3:12] = 1
    iou = np.array([0.9, 0.1, 0.8])
    assert rules.best(masks, iou, cam, parts) == 1 and rules.best(masks, iou, None, None) == 0
