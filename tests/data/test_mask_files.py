"""Masks of the user's own: both forms, and every way in which a file may not fit its image."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.messages import raises
from wsss_stages.data import rle
from wsss_stages.data.mask_files import MaskFileError, MaskFiles
from wsss_stages.data.record import Record

RECORD = Record("a", "a.jpg", "", 12, 20, 6, 10)


def mask(height=12, width=20):
    drawn = np.zeros((height, width), np.uint8)
    drawn[2:5, 3 : width // 2] = 255
    return drawn


def png(folder, number, array):
    path = folder / "a" / f"{number}.png"
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def codes(folder, content):
    path = folder / "a.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_drawn_masks_keep_their_numbers_and_greys(tmp_path):
    grey = (mask() // 3).astype(np.uint8)
    png(tmp_path, 2, grey)
    png(tmp_path, 0, mask(6, 10))
    found = MaskFiles(tmp_path).read(RECORD, 3)
    assert found[1] is None
    np.testing.assert_array_equal(found[2], grey)
    np.testing.assert_array_equal(found[0], mask(6, 10))


def test_black_and_white_and_masks_of_0_and_1_are_0_and_255(tmp_path):
    png(tmp_path, 0, mask() > 0)
    png(tmp_path, 1, mask() // 255)
    for found in MaskFiles(tmp_path).read(RECORD, 2):
        np.testing.assert_array_equal(found, mask())


def test_run_length_codes_and_null(tmp_path):
    codes(tmp_path, [*rle.encode(mask()[None] > 0), None])
    found = MaskFiles(tmp_path).read(RECORD, 2)
    np.testing.assert_array_equal(found[0], mask())
    assert found[1] is None


def test_an_image_without_files_has_no_masks_and_its_evidence_follows_its_files(tmp_path):
    files = MaskFiles(tmp_path)
    assert files.read(RECORD, 2) == [None, None] and files.evidence(RECORD) == []
    png(tmp_path, 0, mask())
    before = files.evidence(RECORD)
    png(tmp_path, 0, 255 - mask())
    assert before and files.evidence(RECORD) != before


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda f: png(f, 2, mask()), ["2.png", "mask 2", "wanted 2"]),
        (lambda f: png(f, "left", mask()), ["left.png", "number of a prompt"]),
        (lambda f: png(f, 0, mask(12, 21)), ["0.png", "21x12", "20x12"]),
        (lambda f: png(f, 0, np.zeros((12, 20, 3), np.uint8)), ["0.png", "grey"]),
        (lambda f: png(f, 0, mask()).write_bytes(b"\x89PNG broken"), ["0.png"]),
        (lambda f: codes(f, [None]), ["a.json", "1 masks", "wanted 2"]),
        (lambda f: codes(f, "{"), ["a.json", "JSON"]),
        (lambda f: codes(f, {"masks": []}), ["a.json", "list"]),
        (lambda f: codes(f, [{"size": [3, 3], "counts": [9]}, None]), ["a.json", "3x3", "20x12"]),
        (lambda f: codes(f, [{"size": [12, 20], "counts": [7]}, None]), ["a.json", "sum to 7"]),
        (lambda f: (codes(f, [None, None]), png(f, 0, mask())), ["a.json", "one of both"]),
    ],
)
def test_what_does_not_fit_is_refused_with_its_file(tmp_path, spoil, words):
    spoil(tmp_path)
    with raises(ValueError, *words):
        MaskFiles(tmp_path).read(RECORD, 2)


def test_a_folder_that_is_missing_or_has_no_mask_of_any_image_is_refused(tmp_path):
    with raises(MaskFileError, "nowhere", "masks.folder"):
        MaskFiles(tmp_path / "nowhere")
    with raises(MaskFileError, str(tmp_path), "a/0.png"):
        MaskFiles(tmp_path).check([RECORD])
    MaskFiles(tmp_path).check([])
