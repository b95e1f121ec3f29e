"""True objects of images, and COCO's instances JSON as pycocotools reads it."""

import contextlib
import io
import json

import numpy as np
import pytest
from pycocotools.coco import COCO

from tests.messages import raises
from wsss_stages.data import instances
from wsss_stages.data.importers.voc import import_voc
from wsss_stages.store import artifacts


@pytest.fixture
def index(voc):
    """Image `a` with a cat of two parts, a dog, and a void pixel in each mask."""
    labels, numbers = np.zeros((16, 20), np.uint8), np.zeros((16, 20), np.uint8)
    labels[2:6, 3:7], numbers[2:6, 3:7] = 1, 1
    labels[2:6, 9:10], numbers[2:6, 9:10] = 1, 1
    labels[8:12, 4:10], numbers[8:12, 4:10] = 2, 4
    labels[0, 0] = numbers[1, 1] = 255
    voc.mask("a", labels)
    voc.mask("a", numbers, "SegmentationObject")
    return import_voc("toy", voc.root)


def test_true_objects_and_what_is_open(index):
    masks, classes, void = instances.true_objects(index.records["a"], index)
    assert masks.sum(axis=(1, 2)).tolist() == [20, 24] and classes.tolist() == [1, 2]
    assert np.argwhere(void).tolist() == [[0, 0], [1, 1]]


def test_the_json_is_cocos(index, tmp_path):
    content = instances.frame(index, index.split("train"))
    instances.add_truth(content, 1, index.records["a"], index)
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(content))
    with contextlib.redirect_stdout(io.StringIO()):
        read = COCO(str(path))
    masks, _, _ = instances.true_objects(index.records["a"], index)
    annotations = read.loadAnns(read.getAnnIds(imgIds=1))
    for annotation, mask in zip(annotations, masks, strict=True):
        np.testing.assert_array_equal(read.annToMask(annotation), mask)
        assert annotation["area"] == mask.sum() and annotation["iscrowd"] == 0
    assert [a["bbox"] for a in annotations] == [[3, 2, 7, 4], [4, 8, 6, 4]]
    assert [(c["id"], c["name"]) for c in read.loadCats(read.getCatIds())] == [(1, "cat"), (2, "dog")]
    assert read.loadImgs(1) == [{"id": 1, "file_name": "JPEGImages/a.jpg", "height": 16, "width": 20}]


def test_the_json_comes_back(index):
    content = instances.frame(index, index.split("train"))
    instances.add_truth(content, 1, index.records["a"], index)
    found = instances.by_photo(content, index, "instances.json")["JPEGImages/a.jpg"]
    assert found.boxes == [[3, 2, 10, 6], [4, 8, 10, 12]] and found.classes == [1, 2]
    np.testing.assert_array_equal(found.masks(), instances.true_objects(index.records["a"], index)[0])


def test_a_json_of_other_classes_is_refused(index):
    content = instances.frame(index, [])
    content["categories"].reverse()
    with raises(
        artifacts.ContractError,
        "instances.json",
        "['dog', 'cat'] ... ['cat', 'dog']",
        "snakemake --forcerun s6_instance_masks",
    ):
        instances.by_photo(content, index, "instances.json")


def test_boxes_at_full_size_hold_those_at_working_size(voc):
    voc.boxes("a", ("cat", 2, 3, 10, 12), ("dog", 1, 1, 20, 16))
    record = import_voc("toy", voc.root).records["a"]
    assert record.full_boxes().tolist() == record.boxes == [[1, 2, 10, 12], [0, 0, 20, 16]]
    small = record.reduced(7)
    (x0, y0, x1, y1), whole = small.full_boxes().tolist()
    assert x0 <= 1 and y0 <= 2 and 10 <= x1 <= 20 and 12 <= y1 <= 16 and whole == [0, 0, 20, 16]
