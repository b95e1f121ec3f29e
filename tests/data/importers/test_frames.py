"""Boxes of a stored raster on the upright photograph: a drawn spot is still in its box after Pillow turned the picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from wsss_stages.data.importers.frames import frame, upright


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_turns_as_pillow_turns_the_photograph(tmp_path, orientation):
    raster = np.zeros((12, 20), np.uint8)
    raster[3:7, 5:14] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(raster).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as image:
        turned = np.asarray(ImageOps.exif_transpose(image))
    rows, columns = np.nonzero(turned)
    expected = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    found = upright(np.array([[5.0, 3, 14, 7]]), orientation, float(turned.shape[1]), float(turned.shape[0]))
    assert found.tolist() == [expected]


@pytest.mark.parametrize(
    "orientation, size, fit",
    [
        (1, None, "same"),
        (1, (120, 200), "same"),
        (6, (120, 200), "same"),
        (6, (200, 120), "turned"),
        (8, (200, 120), "turned"),
        (3, (120, 200), "same"),
        (1, (60, 100), "scaled"),
        (1, (241, 400), "scaled"),
        (1, (40, 67), "scaled"),
        (6, (100, 60), "turned and scaled"),
        (1, (200, 120), None),
        (3, (200, 120), None),
        (1, (120, 120), None),
        (6, (150, 150), None),
    ],
)
def test_the_size_tells_the_raster(orientation, size, fit):
    found = frame(120, 200, orientation, size)
    assert (found and found.fit) == fit


@given(st.integers(20, 900), st.integers(20, 900), st.floats(0.1, 8), st.sampled_from([1, 6, 8]))
def test_boxes_of_a_scaled_raster_come_back(height, width, scale, orientation):
    """The whole raster is the whole photograph, whatever was rounded."""
    stored = (width, height) if orientation >= 5 else (height, width)
    drawn_on = tuple(max(1, round(side * scale)) for side in stored)
    found = frame(height, width, orientation, drawn_on)
    if found is None:  # so small a raster says little of its shape, or it was turned and is nearly square
        assert min(drawn_on) < 40 or scale < 0.5
        return
    whole = np.array([[0.0, 0, drawn_on[1], drawn_on[0]]])
    if found.orientation == orientation:
        np.testing.assert_allclose(found.boxes(whole), [[0, 0, width, height]], atol=1e-6)
