"""Photographs as a detector sees them."""

import numpy as np
import pytest

from wsss_stages.roads.detections import on_side


@pytest.mark.parametrize(
    ("size", "side", "expected"), [((8, 16), 4, (2, 4)), ((6, 3), 12, (12, 6)), ((1, 40), 4, (1, 4))]
)
def test_the_longer_side_is_as_asked_and_no_side_is_lost(size, side, expected):
    assert on_side(np.zeros((*size, 3), np.uint8), side).shape == (*expected, 3)


def test_a_smaller_photograph_is_the_mean_of_its_pixels():
    photo = np.zeros((4, 4, 3), np.uint8)
    photo[::2] = 200
    assert (on_side(photo, 2) == 100).all()
