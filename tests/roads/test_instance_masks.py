"""Objects from label maps and boxes made by hand."""

from pathlib import Path

import numpy as np
import pytest

from tests.messages import raises
from wsss_stages.data.record import Record
from wsss_stages.roads.instance_masks import masks_in_boxes, usable

BOXES, CLASSES = np.array([[0, 0, 3, 2], [3, 0, 6, 4]]), np.uint8([1, 2])


def test_a_mask_is_the_class_in_its_box():
    label = np.uint8([[1, 1, 0, 2, 0, 0]] * 4)
    masks, whole = masks_in_boxes(label, BOXES, CLASSES, "smaller")
    expected = np.zeros((2, 4, 6), bool)
    expected[0, :2, :2], expected[1, :, 3] = True, True
    assert whole == 0 and np.array_equal(masks, expected)


def test_a_box_without_its_class_is_taken_whole_and_counted():
    masks, whole = masks_in_boxes(np.uint8([[1, 1, 0, 0, 0, 0]] * 4), BOXES, CLASSES, "smaller")
    assert whole == 1 and masks[0].sum() == 4 and masks[1, :, 3:].all() and not masks[1, :, :3].any()


@pytest.mark.parametrize(("labels", "used", "wanted"), [("truth", "a", "SegmentationObject"), ("pseudo", "b", "boxes")])
def test_truth_wants_instances_and_label_maps_want_boxes(labels, used, wanted):
    records = [
        Record("a", "", "", 4, 6, 4, 6, truth="a.png", instances="a.png"),
        Record("b", "", "", 4, 6, 4, 6, truth="b.png", boxes=[[0, 0, 2, 2]], box_classes=[1]),
    ]
    assert [record.id for record in usable(records, labels, Path("index.json"))] == [used]
    with raises(ValueError, "index.json", wanted):
        usable([record for record in records if record.id != used], labels, Path("index.json"))
