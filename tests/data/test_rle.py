"""Run-length codes against pycocotools, and what is refused."""

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from tests.messages import raises
from wsss_stages.data import rle


def masks(k=4, height=7, width=5, seed=0):
    return np.random.default_rng(seed).random((k, height, width)) < 0.4


def test_compressed_codes_come_back_and_are_pycocotools_own():
    for mask, code in zip(masks(), rle.encode(masks()), strict=True):
        np.testing.assert_array_equal(rle.decode(code, 7, 5), mask)
        np.testing.assert_array_equal(coco_mask.decode(code), mask)
    large = np.random.default_rng(1).random((1, 300, 400)) < 0.001
    np.testing.assert_array_equal(rle.decode(*rle.encode(large), 300, 400), large[0])
    assert rle.encode(np.zeros((0, 7, 5), bool)) == []


def test_plain_runs_go_down_the_columns_beginning_with_background():
    code = {"size": [2, 3], "counts": [1, 2, 3]}
    assert rle.decode(code, 2, 3).astype(int).tolist() == [[0, 1, 0], [1, 0, 0]]
    np.testing.assert_array_equal(coco_mask.decode(coco_mask.frPyObjects(code, 2, 3)), rle.decode(code, 2, 3))


@pytest.mark.parametrize(
    "code, words",
    [
        ({"size": [2, 3], "counts": [1, 2, 4]}, ["7 ... 6"]),
        ({"size": [2, 3], "counts": [7, -1]}, ["run lengths", "[7, -1] ... 0"]),
        ({"size": [2, 3], "counts": [1.5, 4.5]}, ["run lengths", "[1.5, 4.5]"]),
        ({"size": [2, 3], "counts": None}, ["run lengths", "None"]),
        ({"size": [3, 2], "counts": [6]}, ["size", "[3, 2] ... [2, 3]"]),
        ({"counts": [6]}, ["size", "None"]),
        ({"size": [2, 3], "counts": "6é"}, ["character", "'é'"]),
        ({"size": [2, 3], "counts": "V"}, ["within a number"]),
        ({"size": [2, 3], "counts": "5"}, ["5 ... 6"]),
    ],
)
def test_broken_codes(code, words):
    with raises(rle.RleError, *words):
        rle.decode(code, 2, 3)


def test_packed_masks_come_back():
    for found in (masks(), masks(0), np.zeros((2, 7, 5), bool)):
        packed = rle.pack(found)
        assert packed["rle"].dtype == np.uint8 and packed["ends"].dtype == np.int64
        assert rle.unpack(packed, 7, 5) == rle.encode(found)


def test_without_a_region():
    mask, region = np.array([[1, 1, 0], [1, 1, 0]], bool), np.array([[0, 1, 1], [0, 0, 0]], bool)
    (code,) = rle.encode(mask[None])
    found = rle.without(code, region)
    np.testing.assert_array_equal(rle.decode(found["segmentation"], 2, 3), mask & ~region)
    assert found["area"] == 3 and found["in_void"] == 0.25
