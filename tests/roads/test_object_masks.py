"""Soft masks of boxes: what they take of the mask source."""

import numpy as np
import pytest
import torch

from wsss_stages.config.options import ObjectMasks
from wsss_stages.roads.object_masks import ObjectMasker


class Constant(torch.nn.Module):
    """The same logit everywhere."""

    def forward(self, image, inside):
        return torch.full((len(image), 8, 8), -0.5)


def test_a_box_that_the_mask_source_failed_in_has_the_network_s_mask():
    boxes = np.array([[2, 2, 10, 8], [8, 8, 16, 14]])
    whole = [np.ones((6, 8), np.float32)] * 2
    masker = ObjectMasker(Constant(), 16, ObjectMasks(grabcut_share=0.3, tight_share=0), "cpu")
    photo = np.zeros((16, 20, 3), np.uint8)
    outlined, taken_whole = masker.masks(photo, boxes, whole, np.array([False, True]), "a")
    p = 1 / (1 + np.exp(0.5))
    assert outlined.shape == (6, 8) and outlined[0, 0].item() == pytest.approx(0.7 * p + 0.3)
    assert taken_whole.shape == (6, 8) and taken_whole[0, 0].item() == pytest.approx(p)


class BoxShare(torch.nn.Module):
    """The share of the crop that the box fills, everywhere."""

    def forward(self, image, inside):
        return inside.mean(dim=(1, 2))[:, None, None].expand(-1, 8, 8)


def test_a_soft_mask_is_of_the_mean_logit_over_margins():
    boxes, margins = np.array([[20, 20, 40, 30], [5, 5, 15, 45], [30, 8, 50, 28]]), [0.1, 0.5]
    nothing = [np.zeros((y1 - y0, x1 - x0), np.float32) for x0, y0, x1, y1 in boxes]
    masker = ObjectMasker(BoxShare(), 100, ObjectMasks(grabcut_share=0, tight_share=0, margins=margins), "cpu")
    found = masker.masks(np.zeros((60, 70, 3), np.uint8), boxes, nothing, np.zeros(3, bool), "a")
    logit = np.mean([1 / (1 + 2 * margin) ** 2 for margin in margins])
    for P, before in zip(found, nothing, strict=True):
        assert P.shape == before.shape
        np.testing.assert_allclose(P, 1 / (1 + np.exp(-logit)), atol=0.01)
