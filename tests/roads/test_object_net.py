"""Training of the object network: its terms, their weights, its grade."""

import math

import cv2
import numpy as np
import pytest
import torch

from wsss_stages.config.options import ObjectNet
from wsss_stages.roads.object_net import ObjectNetTraining, lab


class Constant(torch.nn.Module):
    """The same logit everywhere, at half the size of the target."""

    def forward(self, image, inside):
        return torch.full((len(image), 4, 4), 1.0)


def training_with(**options):
    """The training without boxes to learn from."""
    stage = object.__new__(ObjectNetTraining)
    stage.network, stage.opt = Constant(), ObjectNet(**options)
    return stage


def batch(done):
    inside = torch.zeros(2, 8, 8)
    inside[:, 2:6, 2:6] = 1
    target = inside.to(torch.uint8)
    return {
        "image": torch.rand(2, 3, 16, 16), "inside": torch.zeros(2, 16, 16), "target": target, "target_inside": inside,
        "colours": torch.zeros(2, 3, 8, 8), "done": done,
    }  # fmt: skip


def softplus(x):
    return math.log1p(math.exp(x))


def test_terms_have_their_weights_and_colours_grow_from_nothing():
    stage = training_with(outside_weight=0.3, colour_weight=0.5, colour_ramp=0.4, line_weight=0.2)
    p = 1 / (1 + math.exp(-1.0))
    alike = -math.log(p * p + (1 - p) * (1 - p))
    found = stage.loss(batch(done=0.1))
    assert found["cross_entropy"].item() == pytest.approx(softplus(-1) + 0.3 * softplus(1), rel=1e-5)
    assert found["lines"].item() == pytest.approx(0.2 * softplus(-1), rel=1e-5)
    assert found["colours"].item() == pytest.approx(0.5 * 0.25 * alike, rel=1e-5)
    assert "colours" not in stage.loss(batch(done=0.0))


def test_terms_of_no_weight_are_left_out():
    assert set(training_with(colour_weight=0, line_weight=0).loss(batch(done=1.0))) == {"cross_entropy"}


def test_the_grade_is_the_likelihood_at_the_last_weights():
    stage = training_with()
    total = sum(term.item() for term in stage.loss(batch(done=1.0)).values())
    assert stage.grade(iter([batch(done=0.0), batch(done=0.2)])) == pytest.approx(math.exp(-total), rel=1e-5)


def test_colours_are_lab_of_the_mean_over_the_target_s_pixels():
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[:2, :2] = 255
    found = lab(pixels, 2)
    expected = cv2.cvtColor(np.float32([[[1, 1, 1], [0, 0, 0]]]), cv2.COLOR_RGB2LAB)
    assert found.shape == (2, 2, 3) and np.allclose(found[0], expected[0], atol=1e-3)
