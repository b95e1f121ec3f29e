"""Cutting a box out of an image at a fixed size, and bringing what was found back to pixels."""

import numpy as np
import pytest

from wsss_stages.labels import box_crops

BOX = np.array([4, 6, 12, 22])


def picture(height=40, width=50):
    """A smooth picture, so that interpolation is nearly exact: red grows to the right, green downwards."""
    y, x = np.mgrid[:height, :width]
    return np.stack([4 * x, 5 * y, np.full_like(x, 7)], axis=2).astype(np.uint8)


def test_a_window_adds_shares_of_width_and_height():
    window = box_crops.window(BOX, np.array([0.5, 0.25, 0, 1]))
    assert window.tolist() == [4 - 4, 6 - 4, 12, 22 + 16]


def test_a_window_of_the_crops_own_size_shows_the_pixels_themselves():
    window = np.array([3, 5, 35, 37], np.float32)
    np.testing.assert_array_equal(box_crops.cut(picture(), window, 32, 0), picture()[5:37, 3:35])


@pytest.mark.parametrize("side", [8, 24, 64])
def test_a_crop_shows_what_lies_at_its_pixels_middles(side):
    window = np.array([3, 5, 35, 37], np.float32)
    found = box_crops.cut(picture(), window, side, 0)[1:-1, 1:-1].astype(float)
    middles = (np.arange(side) + 0.5) * 32 / side - 0.5
    np.testing.assert_allclose(found[..., 0], np.broadcast_to(4 * (3 + middles)[1:-1], found.shape[:2]), atol=2.1)
    np.testing.assert_allclose(found[..., 1].T, np.broadcast_to(5 * (5 + middles)[1:-1], found.shape[:2]), atol=2.6)


def test_outside_the_image_a_crop_is_filled():
    found = box_crops.cut(picture(), np.array([-8, -8, 8, 8], np.float32), 16, 115)
    assert (found[:7] == 115).all() and (found[:, :7] == 115).all()
    np.testing.assert_array_equal(found[8:, 8:], picture()[:8, :8])


def test_labels_are_not_averaged():
    labels = np.random.default_rng(0).choice(np.uint8([0, 1, 255]), (40, 50))
    found = box_crops.cut(labels, np.array([3, 5, 45, 38], np.float32), 16, 0, nearest=True)
    assert set(np.unique(found)) <= {0, 1, 255}


def test_the_box_lies_in_the_middle_of_its_window():
    window = box_crops.window(BOX, np.full(4, 0.5))
    inside = box_crops.box_in(BOX, window, 16)
    assert inside[4:12, 4:12].all() and inside.sum() == 64


def test_a_box_over_the_border_of_its_window_is_cut_off():
    assert box_crops.box_in(BOX, np.array([6, 8, 20, 30]), 14)[0, 0] == 1


@pytest.mark.parametrize("side", [12, 48])
def test_what_was_found_comes_back_to_the_middles_of_pixels(side):
    window = box_crops.window(BOX, np.full(4, 0.25))
    x0, y0, x1, y1 = window
    x, y = (a + (np.arange(side) + 0.5) / side * (b - a) for a, b in ((x0, x1), (y0, y1)))
    found = (x + 10 * y[:, None]).astype(np.float32)
    expected = np.arange(4, 12) + 0.5 + 10 * (np.arange(6, 22)[:, None] + 0.5)
    fixed_point = 1 / 32  # of a crop's pixel, cv2.remap's positions
    np.testing.assert_allclose(box_crops.back(found, window, BOX), expected, atol=10 * (y1 - y0) / side * fixed_point)
