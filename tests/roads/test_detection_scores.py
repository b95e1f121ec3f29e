"""Detections as COCO's results JSON, and which of them are scored."""

from pathlib import Path

import numpy as np

from wsss_stages.data import instances, rle
from wsss_stages.data.index import Index
from wsss_stages.data.record import Record
from wsss_stages.roads.detection_scores import DetectionScores, results_of

MASK = np.zeros((1, 4, 6), bool)
MASK[0, 1:3, 2:5] = True
FOUND = rle.pack(MASK) | {"box": np.float32([[2, 1, 5, 3]]), "score": np.float32([0.5]), "classes": np.uint8([2])}


def test_a_box_has_its_width_and_height():
    (found,) = results_of(7, FOUND, 4, 6)
    assert found["bbox"] == [2, 1, 3, 2] and found["image_id"] == 7 and found["category_id"] == 2
    assert np.array_equal(rle.decode(found["segmentation"], 4, 6), MASK[0]) and found["score"] == 0.5


def test_an_image_without_true_instances_is_listed_but_not_scored():
    record = Record("a", "a.jpg", "", 4, 6, 4, 6)
    index = Index("toy", Path("none"), ["background", "cat", "dog"], {"val": ["a"]}, {"a": record})
    scores = DetectionScores(index, "val")
    scores.add(1, record, FOUND)
    assert len(scores.results) == 1 and not scores.scored and not scores.void
    assert scores.notes.counts == {instances.UNNUMBERED: 1}


def test_open_pixels_are_taken_from_detections_and_kept_apart(voc):
    truth = np.zeros((16, 20), np.uint8)
    truth[1:3, 2:4], truth[1:3, 4:6] = 1, 255
    numbers = np.where(truth == 1, 1, truth)
    voc.mask("a", truth)
    voc.mask("a", numbers, folder="SegmentationObject")
    record = Record(
        "a",
        "JPEGImages/a.jpg",
        "",
        16,
        20,
        16,
        20,
        truth="SegmentationClass/a.png",
        instances="SegmentationObject/a.png",
    )
    index = Index("toy", voc.root, ["background", "cat", "dog"], {"val": ["a"]}, {"a": record})
    mask = np.zeros((1, 16, 20), bool)
    mask[0, 1:3, 2:6] = True
    scores = DetectionScores(index, "val")
    scores.add(1, record, FOUND | rle.pack(mask))
    (detection,) = scores.scored
    assert np.array_equal(rle.decode(detection["segmentation"], 16, 20), truth == 1)
    assert detection["in_void"] == 0.5 and np.array_equal(rle.decode(scores.void[1], 16, 20), truth == 255)
    assert len(scores.truth["annotations"]) == 1
