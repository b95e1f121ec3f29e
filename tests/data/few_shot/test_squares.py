"""Images and masks on a square, and scores back from it; masks of a class; a user's masks."""

import numpy as np
import pytest
import torch
from PIL import Image

from wsss_stages.data.few_shot.squares import (
    from_square,
    image_on_square,
    inside,
    mask_of_class,
    mask_on_square,
    sides_of,
)
from wsss_stages.data.few_shot.supports import read_supports


@pytest.mark.parametrize(
    "size, found", [((40, 80), (16, 32)), ((80, 40), (32, 16)), ((8, 8), (32, 32)), ((1, 999), (1, 32))]
)
def test_the_longer_side_fills_the_square(size, found):
    assert inside(*size, 32) == found


def test_sides_are_whole_strides_and_at_least_one():
    assert sides_of(64, 16, [0.1, 0.5, 1.0, 1.45]) == [16, 32, 64, 96]


def test_the_rest_of_the_square_is_grey_and_unknown():
    photo, mask = np.full((20, 40, 3), 255, np.uint8), np.ones((20, 40), np.uint8)
    mask[:, 20:] = 0
    square, on = image_on_square(photo, 16), mask_on_square(mask, 16)
    assert square.shape == (3, 16, 16) and (square[:, :8] == 1).all() and (square[:, 8:] == np.float32(0.45)).all()
    assert (on[:8, :8] == 1).all() and (on[:8, 8:] == 0).all() and (on[8:] == 255).all()


@pytest.mark.parametrize("size", [(30, 60), (64, 20), (24, 24)])
def test_scores_come_back_to_where_the_image_was(size):
    mask = np.zeros(size, np.uint8)
    mask[: size[0] // 2, size[1] // 2 :] = 1
    on = torch.from_numpy(mask_on_square(mask, 64))
    scores = torch.nn.functional.avg_pool2d((on == 1)[None].float(), 4)  # at the nodes of stride 4
    back = from_square(scores, *size, 64)
    assert back.shape == (1, *size) and ((back[0].numpy() > 0.5) == mask).mean() > 0.95


def test_the_mask_of_a_class_keeps_what_is_unknown():
    assert mask_of_class(np.uint8([[0, 1, 2, 255]]), 2).tolist() == [[0, 0, 1, 255]]


@pytest.mark.parametrize("drawn, read", [([0, 255], [0, 1]), ([0, 1], [0, 1]), ([0, 3, 255], [0, 1, 255])])
def test_numbers_of_a_users_mask(tmp_path, drawn, read):
    (tmp_path / "masks").mkdir()
    Image.new("RGB", (len(drawn), 1)).save(tmp_path / "a.png")
    Image.fromarray(np.uint8([drawn])).save(tmp_path / "masks" / "a.png")
    (support,) = read_supports(tmp_path)
    assert support.name == "a" and support.mask.tolist() == [read]
