"""Class activation maps as they are stored."""

import numpy as np
import pytest
import torch

from tests.messages import raises
from wsss_stages.config.options import Cam
from wsss_stages.roads.cams import PIXELS_ON_GPU, CamMaker, stored
from wsss_stages.store.check_finite import NotFiniteError


def test_maps_are_halved_beside_their_classes():
    found = stored(torch.full((2, 3, 4), 0.1), "a", [3, 7])
    assert found["cam"].dtype == np.float16 and found["cam"].shape == (2, 3, 4)
    assert found["classes"].tolist() == [3, 7] and found["classes"].dtype == np.uint8


def test_numbers_that_are_none_name_the_image_and_the_classifier():
    with raises(NotFiniteError, "image_4", "s1_classifier"):
        stored(torch.full((1, 3, 4), float("nan")), "image_4", [3])


@pytest.mark.parametrize(("device", "pixels", "limit"), [("cpu", 0, 1), ("cuda", 0, PIXELS_ON_GPU), ("cpu", 500, 500)])
def test_a_cpu_takes_one_image_at_a_time_by_default(device, pixels, limit):
    assert CamMaker(torch.nn.Module(), 8, Cam(batch_pixels=pixels), device).limit == limit
