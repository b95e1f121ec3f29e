"""Levels of CAMs over many images, the exponents that follow, and shares of what was labelled: loops, hand-made cases (Eq. 2.4)."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from tests.messages import raises
from wsss_stages import UNKNOWN
from wsss_stages.config.options import Crf, Mining
from wsss_stages.labels import cam, levels, reliable
from wsss_stages.labels.levels import Levels

OPTIONS = Mining(background_share=0.3, foreground_share=0.2, keep=0.5, min_cam=0, crf=Crf(iterations=0)).fill(
    reliable.Mining
)
SHARES = OPTIONS.cam_normalise, OPTIONS.background_share, OPTIONS.foreground_share
SIZES = ((2, 5, 7), (1, 9, 4), (3, 6, 6))


def maps():
    rng = np.random.default_rng(0)
    return [3 * rng.random(size, dtype=np.float32) ** 2 for size in SIZES]


def quantile(values, share):
    """Linear between the two values next to a share of the sorted ones."""
    values, at = sorted(values), share * (len(values) - 1)
    low = int(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (at - low) * (values[high] - values[low])


def strengths(maps):
    """Return for every node the largest value among its classes, each over its own maximum."""
    found = []
    for of_image in maps:
        tops = [max(float(v) for v in row.ravel()) for row in of_image]
        for y, x in np.ndindex(of_image.shape[1:]):
            found.append(max(float(row[y, x]) / top for row, top in zip(of_image, tops, strict=True)))
    return found


def test_levels_are_quantiles_over_the_nodes_of_all_images():
    found, values = levels.of_cams(maps(), *SHARES), strengths(maps())
    assert found.background == pytest.approx(quantile(values, 0.3), abs=1e-6)
    assert found.foreground == pytest.approx(quantile(values, 0.8), abs=1e-6)
    assert found.background < found.foreground


def test_images_without_classes_and_values_that_are_no_numbers_do_not_count():
    made = maps()
    broken = np.full((1, 30, 30), np.nan, np.float32)
    assert levels.of_cams([*made, np.zeros((0, 40, 40), np.float32), broken], *SHARES) == levels.of_cams(made, *SHARES)
    assert levels.of_cams([np.zeros((0, 4, 4), np.float32)], *SHARES) == (0.5, 0.5)


@pytest.mark.parametrize("value, level", [(0.0, levels.LEAST), (1.0, levels.MOST)])
def test_levels_stay_where_the_exponent_is_finite(value, level):
    flat = np.full((1, 8, 8), value, np.float32)
    flat[0, 0, 0] = 1
    found = levels.of_cams([flat], *SHARES)
    assert found == (level, level) and np.isfinite([levels.exponent(level_found) for level_found in found]).all()


@pytest.mark.parametrize("level", [0.01, 0.12, 0.5, 0.9, 0.99])
def test_at_the_level_background_and_class_score_alike(level):
    strength = np.array([[[level - 0.005, level, level + 0.005]]])
    background, of_class = cam.with_background(strength, levels.exponent(level))
    assert background[0, 1] == pytest.approx(of_class[0, 1])
    assert background[0, 0] > of_class[0, 0] and background[0, 2] < of_class[0, 2]


def test_weaker_pixels_are_background_stronger_ones_foreground_and_the_top_of_them_sure():
    given = np.random.default_rng(1).random((2, 12, 11), dtype=np.float32)
    image, classes, between = np.zeros((12, 11, 3), np.uint8), np.array([4, 9], np.uint8), Levels(0.45, 0.7)
    M_I, M_I_top = reliable.mined(image, given, classes, OPTIONS, between, "cpu", "a")
    of = given / given.max(axis=(1, 2), keepdims=True)
    won = {c: [] for c in classes}
    for at in np.ndindex(12, 11):
        strongest = max(of[0][at], of[1][at])
        c = classes[int(of[1][at] > of[0][at])]
        assert M_I[at] == (0 if strongest < 0.45 else c if strongest > 0.7 else UNKNOWN)
        if strongest >= 0.45:
            won[c].append((strongest, at))
        else:
            assert M_I_top[at] == 0
    for c, values in won.items():
        least = sorted(v for v, _ in values)[int(0.5 * len(values))]
        assert all(M_I_top[at] == (c if v > least else UNKNOWN) for v, at in values)


def test_with_fixed_thresholds_levels_are_not_asked():
    fixed = replace(OPTIONS, thresholds="fixed")
    given, classes = np.random.default_rng(1).random((1, 9, 9), dtype=np.float32), np.array([4], np.uint8)
    M_I, M_I_top = reliable.mined(np.zeros((9, 9, 3), np.uint8), given, classes, fixed, None, "cpu", "a")
    low, high = (cam.with_background(given / given.max(), gamma) for gamma in (4.0, 24.0))
    assert np.array_equal(M_I, reliable.agreed(low, high, classes))
    assert np.array_equal(M_I_top, reliable.of_cam(high, classes, 0.5, 0.0, 0.8)) and (M_I_top == UNKNOWN).any()


def test_counts_and_shares_of_a_label_map():
    label = np.uint8([[0, 0, 3, UNKNOWN], [0, 5, 5, UNKNOWN]])
    counted = levels.counts(label, np.array([3, 5, 7]))
    assert counted == {"pixels": 8, "background": 3, "foreground": 3, "classes": 3, "classes_lost": 1}
    assert levels.shares(counted) == {"background_share": 3 / 8, "foreground_share": 3 / 8, "classes_lost": 1 / 3}
    nothing = levels.counts(np.zeros((0, 4), np.uint8), np.zeros(0, np.uint8))
    assert set(levels.shares(nothing).values()) == {0.0}


def test_shares_that_overlap_are_refused():
    with raises(ValidationError, "background_share 0.7", "foreground_share 0.4", "1"):
        Mining(background_share=0.7)
