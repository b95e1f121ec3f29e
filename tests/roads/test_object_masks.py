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
