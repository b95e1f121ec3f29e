"""Annotations as tools write them: boxes, masks and marks that are missing, doubled, in other writing, or for another size."""

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from tests.messages import lacking, only
from wsss_stages.data.images import read_labels
from wsss_stages.data.importers import coco as coco_module
from wsss_stages.data.importers import coco_annotations, coco_shapes

SQUARE = [[2, 3, 10, 3, 10, 12, 2, 12]]


def runs(*squares):
    """Run-length code of squares (x0, y0, x1, y1)."""
    mask = np.zeros((16, 20), np.uint8, order="F")
    for x0, y0, x1, y1 in squares:
        mask[y0:y1, x0:x1] = 1
    return {"size": [16, 20], "counts": coco_mask.encode(mask)["counts"].decode()}


@pytest.mark.parametrize("segmentation", [SQUARE, runs((2, 3, 10, 12)), [[2.2, 3.1, 9.9, 3.1, 9.9, 11.5, 2.2, 11.5]]])
@pytest.mark.parametrize("box", [None, [], ...])
def test_an_object_without_a_box_has_its_masks(coco, segmentation, box):
    annotation = coco.content["train"]["annotations"][0]
    annotation |= {"bbox": box, "segmentation": segmentation}
    if box is ...:
        del annotation["bbox"]
    index = coco.read()
    assert index.records["001"].boxes == [[2, 3, 10, 12]] and index.notes.counts[coco_shapes.OF_MASKS] == 1
    annotation["segmentation"] = []
    assert not lacking(coco.only_finding(), "annotation 1", "box", "mask")


def test_the_box_of_several_polygons_holds_all_of_them(coco):
    parts = [[1, 2, 6, 2, 6, 7, 1, 7], [12, 9, 18, 9, 18, 15, 12, 15]]
    coco.content["train"]["annotations"][0] |= {"bbox": None, "segmentation": parts}
    xs, ys = [x for part in parts for x in part[::2]], [y for part in parts for y in part[1::2]]
    assert coco.read().records["001"].boxes == [[min(xs), min(ys), max(xs), max(ys)]]


@pytest.mark.parametrize("stray", [[], [2], [2, 3], [2, 3, 10, 3], [2, 3, 10, 3, 4]])
def test_a_stray_polygon_beside_good_ones_is_left_out(coco, stray):
    coco.content["train"]["annotations"][0]["segmentation"] = [stray, *SQUARE, stray]
    index = coco.read()
    assert index.records["001"].truth_labels(index.root).sum() == 8 * 9
    assert index.notes.counts[coco_shapes.STRAY] == 2
    coco.content["train"]["annotations"][0]["segmentation"] = [[], stray]
    if stray:
        assert not lacking(coco.only_finding(), "annotation 1", "polygon"), "none is left"
    else:
        assert coco.read().notes.counts[coco_annotations.BOX_ONLY] == 1, "it has no point at all"


def test_objects_of_the_background_are_background_without_a_box(coco):
    for content in coco.content.values():
        content["categories"].append({"id": 0, "name": "background"})
    coco.add("train", 1, 0, [0, 0, 20, 16], [[0, 0, 20, 0, 20, 16, 0, 16]])
    coco.add("train", 1, 0, [4, 5, 2, 2], [[4, 5, 6, 5, 6, 7, 4, 7]])
    index = coco.read()
    truth = index.records["001"].truth_labels(index.root)
    wanted = np.zeros((16, 20), np.uint8)
    wanted[3:12, 2:10] = 1
    wanted[5:7, 4:6] = 0
    np.testing.assert_array_equal(truth, wanted)
    np.testing.assert_array_equal(read_labels(index.root / index.records["001"].instances), wanted)
    assert index.classes == ["background", "cat", "dog"] and index.records["001"].box_classes == [1]
    assert index.notes.counts[coco_annotations.BACKGROUND] == 2


@pytest.mark.parametrize("mark", ["0", 0, False, None, "false", 0.0])
def test_what_is_marked_as_no_crowd_is_an_object(coco, mark):
    coco.content["train"]["annotations"][0]["iscrowd"] = mark
    index = coco.read()
    assert index.records["001"].boxes and index.notes.counts.get(coco_annotations.MARK, 0) == isinstance(mark, str)


@pytest.mark.parametrize("mark", ["1", 1, True, "True", 1.0])
def test_what_is_marked_as_a_crowd_is_none(coco, mark):
    coco.content["train"]["annotations"][0]["iscrowd"] = mark
    index = coco.read()
    assert not index.records["001"].boxes and index.notes.counts[coco_annotations.CROWD] == 1
    coco.content["train"]["annotations"][0]["iscrowd"] = "many"
    assert not lacking(coco.only_finding(), "iscrowd", "many", "0 or 1")


def test_boxes_given_twice_are_taken_once(coco):
    plain = [2 * 16 + 3, *([9, 7] * 8)[:-1], 16 * 10 + 4]
    coco.add("train", 1, 3, [2.0, 3.0, 8.0, 9.0], SQUARE)
    coco.add("train", 1, 3, [2, 3, 8, 9], runs((2, 3, 10, 12)))
    coco.add("train", 1, 3, [2, 3, 8, 9], {"size": [16, 20], "counts": plain})
    coco.add("train", 1, 3, [2, 3, 8, 9], [])
    coco.add("train", 1, 3, [2, 3, 8, 9], runs((2, 3, 10, 4), (2, 3, 3, 12)))
    coco.add("train", 1, 7, [2, 3, 8, 9], SQUARE)
    index = coco.read()
    assert index.records["001"].box_classes == [1, 1, 2], "another mask and another class are other objects"
    assert index.notes[coco_annotations.TWICE].count == 4 and index.notes[coco_annotations.TWICE].names == ["001"]
    assert index.records["001"].truth, "the one without a mask is one of those with it"


def test_a_mask_comes_from_the_twin_that_has_it(coco):
    annotations = coco.content["train"]["annotations"]
    coco.add("train", 1, 3, [2, 3, 8, 9], [])
    annotations.reverse()
    index = coco.read()
    assert index.records["001"].truth_labels(index.root).sum() == 72 and len(index.records["001"].boxes) == 1


def test_keys_that_are_not_used_are_counted(coco):
    coco.add("train", 1, 7, [0, 0, 5, 5], [[0, 0, 5, 0, 5, 5, 0, 5]], keypoints=[1], area=3)
    coco.add("train", 2, 7, [0, 0, 5, 5], [[0, 0, 5, 0, 5, 5, 0, 5]], keypoints=[1], **{"\x1b[31m": 1})
    notes = coco.read().notes
    assert notes[only(notes, "annotation", "keypoints")].names == ["001", "002"]
    assert notes.counts[only(notes, "annotation", "\\x1b[31m")] == 1
    assert not any("area" in text for text in notes)


@pytest.mark.parametrize("masks", [True, False])
@pytest.mark.parametrize("count", [254, 255, 300])
def test_many_objects_have_classes_and_boxes_but_no_numbers(coco, count, masks):
    boxes = [(x, y) for y in range(0, 96, 4) for x in range(0, 100, 4)][:count]
    Image.new("RGB", (100, 96)).save(coco.root / "train" / "002.jpg")
    coco.content["train"]["images"][1] |= {"width": 100, "height": 96}
    for x, y in boxes:
        square = [[x, y, x + 4, y, x + 4, y + 4, x, y + 4]] if masks else []
        coco.add("train", 2, 3 if x % 8 else 7, [x, y, 4, 4], square)
    index = coco.read()
    record = index.records["002"]
    assert len(record.boxes) == count
    if not masks:
        assert record.truth is None and record.instances is None
        return
    wanted = np.zeros((96, 100), np.uint8)
    for x, y in boxes:
        wanted[y : y + 4, x : x + 4] = 1 if x % 8 else 2
    np.testing.assert_array_equal(record.truth_labels(index.root), wanted)
    assert (record.instances is None) == (count > 254)
    assert index.notes.counts.get(coco_annotations.TOO_MANY, 0) == (count > 254)
    if record.instances:
        assert len(np.unique(read_labels(index.root / record.instances))) == count + 1
    else:
        assert not (coco.root.parent / "truth" / "SegmentationObject" / "002.png").exists()


@pytest.mark.parametrize("size", [{}, {"width": None, "height": None}, {"width": 0, "height": 0}, {"width": 20}])
def test_sizes_that_are_not_given_are_the_photographs(coco, size):
    image = coco.content["train"]["images"][0]
    del image["width"], image["height"]
    image |= size
    index = coco.read()
    assert index.records["001"].boxes == [[2, 3, 10, 12]] and index.notes[coco_module.UNSIZED].names == ["001"]
    image |= {"width": "20", "height": 16.0}
    assert coco_module.UNSIZED not in coco.read().notes
    for strange in (-20, [20], "wide", True):
        image["width"] = strange
        assert not lacking(coco.only_finding(), "001.jpg", "20x16")


@pytest.mark.parametrize("size", [(40, 32), (10, 8), (30, 24)])
def test_a_photograph_in_another_size_takes_scaled_boxes_and_polygons(coco, size):
    Image.new("RGB", size).save(coco.root / "train" / "001.jpg")
    index = coco.read()
    scale = size[0] / 20
    record = index.records["001"]
    x0, y0, x1, y1 = (value * scale for value in (2, 3, 10, 12))
    assert record.boxes == [[int(x0), int(y0), int(-(-x1 // 1)), int(-(-y1 // 1))]]
    truth = record.truth_labels(index.root)
    for y in range(size[1]):
        for x in range(size[0]):
            inside = x0 < x + 0.5 < x1 and y0 < y + 0.5 < y1
            assert truth[y, x] == inside, (x, y)
    assert index.notes[coco_module.RESIZED].names == ["001"]
    coco.content["train"]["annotations"][0]["segmentation"] = runs((2, 3, 10, 12))
    assert not lacking(coco.only_finding(), "annotation 1", "run-length", f"20x16 ... {size[0]}x{size[1]}")


@pytest.mark.parametrize("size", [(16, 20), (20, 17), (40, 30)])
def test_a_photograph_of_another_shape_is_another(coco, size):
    Image.new("RGB", size).save(coco.root / "train" / "001.jpg")
    assert not lacking(coco.only_finding(), "001.jpg", f"{size[0]}x{size[1]} ... 20x16", "instances_train.json")
