"""Label Studio's run-length codes, against their description read bit by bit and against Label Studio's own converter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.messages import raises
from wsss_stages.data import brush_rle
from wsss_stages.data.rle import RleError

masks = arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=20))


def bit_by_bit(code):
    """rle-pack's decoder as its description has it; all values of the RGBA image."""
    bits = "".join(f"{byte:08b}" for byte in code)
    at = 0

    def take(count):
        nonlocal at
        at += count
        return int(bits[at - count : at], 2)

    total, word, sizes, values = take(32), take(5) + 1, [take(4) + 1 for _ in range(4)], []
    while len(values) < total:
        many, count = take(1), take(sizes[take(2)]) + 1
        values += [take(word)] * count if many else [take(word) for _ in range(count)]
    return values


def packed(values, literal):
    """A code of values, all in records of single values (`literal`) or of repeated ones, with sizes of counts of its own."""
    text = f"{len(values):032b}{7:05b}" + "".join(f"{size - 1:04b}" for size in (2, 5, 9, 12))
    if literal:
        text += "".join(f"000{0:02b}{value:08b}" for value in values)
    else:
        text += "".join(f"100{0:02b}{value:08b}" for value in values)
    text += "0" * (-len(text) % 8)
    return [int(text[k : k + 8], 2) for k in range(0, len(text), 8)]


@given(masks)
@settings(max_examples=20, deadline=None, derandomize=True)
def test_a_mask_comes_back_and_its_code_is_rle_pack_s(mask):
    code = brush_rle.encode(mask)
    assert (brush_rle.decode(code, *mask.shape) == mask).all()
    assert bit_by_bit(code) == np.repeat(mask.ravel() * 255, 4).tolist()


@pytest.mark.parametrize("literal", [True, False])
def test_codes_of_other_encoders_are_read(literal):
    mask = np.random.default_rng(0).random((5, 7)) < 0.5
    values = np.stack([0 * mask, 7 * ~mask, 9 * mask, 130 * mask], axis=-1).ravel().tolist()  # alpha alone counts
    assert (brush_rle.decode(packed(values, literal), 5, 7) == mask).all()


def test_long_runs_are_cut_into_pieces():
    mask = np.ones((300, 301), bool)
    mask[0, 0] = False
    assert (brush_rle.decode(brush_rle.encode(mask), 300, 301) == mask).all()


@given(st.lists(st.integers(0, 255), max_size=40), st.integers(1, 9), st.integers(1, 9))
@settings(max_examples=50, deadline=None, derandomize=True)
def test_damaged_codes_are_refused_or_masks(code, height, width):
    head = list((height * width * 4).to_bytes(4))
    for damaged in (code, head + code):
        try:
            assert brush_rle.decode(damaged, height, width).shape == (height, width)
        except RleError:
            pass


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ([1, 2], ["bytes"]),
        (["a"] * 9, ["bytes"]),
        ([256] * 9, ["bytes"]),
        ([0] * 9, ["0 values", "3x4x4"]),
        (None, ["bytes"]),
    ],
)
def test_what_is_no_code_is_said(code, words):
    with raises(RleError, *words):
        brush_rle.decode(code or [], 3, 4)


def test_a_code_of_another_size_is_refused():
    with raises(RleError, "48 values", "4x5x4"):
        brush_rle.decode(brush_rle.encode(np.ones((3, 4), bool)), 4, 5)


@pytest.mark.slow
def test_label_studio_s_own_converter_reads_and_writes_the_same():
    brush = pytest.importorskip("label_studio_sdk.converter.brush")
    mask = np.random.default_rng(1).random((40, 60)) < 0.4
    assert (brush.decode_rle(brush_rle.encode(mask)).reshape(40, 60, 4)[..., 3] > 0).tolist() == mask.tolist()
    assert (brush_rle.decode(brush.mask2rle(mask.astype(np.uint8) * 255), 40, 60) == mask).all()
