"""Working sizes of records."""

import numpy as np
from PIL import Image

from wsss_stages.data.index import Record


def record(tmp_path, height=300, width=400):
    Image.fromarray(np.full((height, width, 3), 90, np.uint8)).save(tmp_path / "a.png")
    boxes, points = [[0, 0, 400, 300], [101, 7, 103, 9]], [[399, 299, 2]]
    return Record("a", "a.png", "0", height, width, height, width, boxes, [1, 2], [1, 2], points)


def test_a_reduced_record_keeps_every_pixel_that_its_boxes_touch(tmp_path):
    small = record(tmp_path).reduced(100)
    assert (small.height, small.width, small.full_height, small.full_width) == (75, 100, 300, 400)
    assert small.boxes == [[0, 0, 100, 75], [25, 1, 26, 3]]
    assert small.points == [[99, 74, 2]]
    assert small.image(tmp_path).shape == (75, 100, 3)
    assert (small.image(tmp_path) == 90).all()


def test_a_record_that_is_small_enough_stays_as_it_is(tmp_path):
    assert record(tmp_path).reduced(400) == record(tmp_path)


def test_the_working_size_is_evidence(tmp_path):
    assert record(tmp_path).reduced(200).evidence() != record(tmp_path).evidence()
