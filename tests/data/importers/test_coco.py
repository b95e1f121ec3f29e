"""The COCO importer: what it understands, what it leaves out by rule and counts, and every refusal."""

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from tests.messages import lacking, raises
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.images import read_labels
from wsss_stages.data.importers import coco_annotations, coco_shapes
from wsss_stages.data.importers.coco import import_coco
from wsss_stages.stages import data as stage

SQUARE = [[2, 3, 10, 3, 10, 12, 2, 12]]


def test_images_boxes_and_classes_in_the_order_of_their_ids(coco):
    index = coco.read()
    assert index.classes == ["background", "cat", "dog"] and index.splits == {"train": ["001", "002"], "val": ["003"]}
    record = index.records["001"]
    assert record.boxes == [[2, 3, 10, 12]] and record.box_classes == record.tags == [1] and record.kinds == ["box"]
    assert record.photo == "train/001.jpg" and index.records["003"].box_classes == [2]
    assert index.notes.counts == {coco_annotations.EMPTY: 1}


def test_truth_is_drawn_beside_the_index_and_the_dataset_is_only_read(coco):
    coco.read()
    before = sorted(p for p in coco.root.rglob("*"))
    index = coco.read()
    assert before == sorted(p for p in coco.root.rglob("*"))
    truth = index.records["001"].truth_labels(index.root)
    wanted = np.zeros((16, 20), np.uint8)
    wanted[3:12, 2:10] = 1
    np.testing.assert_array_equal(truth, wanted)
    np.testing.assert_array_equal(read_labels(index.root / index.records["001"].instances), wanted)
    assert not index.records["002"].truth_labels(index.root).any()


def test_masks_as_polygons_and_as_both_kinds_of_codes_are_the_same(coco):
    for number, code in enumerate(("plain", "compressed")):
        mask = np.zeros((16, 20), np.uint8, order="F")
        mask[3:12, 2:10] = 1
        runs = np.diff(np.concatenate([[0], np.flatnonzero(np.diff(mask.T.ravel())) + 1, [320]])).tolist()
        text = coco_mask.encode(mask)["counts"].decode()
        counts = {"plain": runs, "compressed": text}[code]
        coco.content["train"]["annotations"][0]["segmentation"] = {"size": [16, 20], "counts": counts}
        index = coco.read()
        assert (index.records["001"].truth_labels(index.root) == mask).all(), number


def test_a_crowd_is_unknown_and_has_no_box(coco):
    coco.add("train", 1, 7, [0, 0, 20, 2], [[0, 0, 20, 0, 20, 2, 0, 2]], iscrowd=1)
    index = coco.read()
    truth = index.records["001"].truth_labels(index.root)
    assert (truth[:2] == 255).all() and (truth[3:12, 2:10] == 1).all()
    assert index.records["001"].tags == [1] and index.notes.counts[coco_annotations.CROWD] == 1


def test_what_is_too_small_is_unknown_and_has_no_box(coco):
    coco.add("train", 2, 7, [0, 0, 3, 3], [[0, 0, 3, 0, 3, 3, 0, 3]])
    coco.add("train", 2, 7, [5, 5, 0, 4], [[5, 5, 9, 5, 9, 9, 5, 9]])
    index = coco.read()
    truth = index.records["002"].truth_labels(index.root)
    assert index.records["002"].boxes == [] and index.notes.counts[coco_annotations.TINY] == 2
    assert (truth[:3, :3] == 255).all() and (truth[5:9, 5:9] == 255).all() and (truth == 255).sum() == 25


def test_a_smaller_object_covers_a_larger_one_whatever_their_order(coco):
    coco.add("train", 1, 7, [0, 0, 20, 16], [[0, 0, 20, 0, 20, 16, 0, 16]])
    index = coco.read()
    truth = index.records["001"].truth_labels(index.root)
    assert (truth[3:12, 2:10] == 1).all() and truth[0, 0] == 2
    coco.add("train", 1, 7, [2, 3, 8, 9], SQUARE)
    assert coco.read().notes.counts[coco_annotations.COVERED] == 1


def test_objects_without_masks_leave_boxes_without_truth(coco):
    coco.content["train"]["annotations"][0]["segmentation"] = []
    index = coco.read()
    record = index.records["001"]
    assert record.boxes == [[2, 3, 10, 12]] and record.truth is None and record.instances is None
    assert index.notes.counts[coco_annotations.BOX_ONLY] == 1


def test_boxes_are_widened_to_pixels_and_clipped(coco):
    coco.content["train"]["annotations"][0]["bbox"] = [2.3, 3.0, 17.9, 9.01]
    index = coco.read()
    assert index.records["001"].boxes == [[2, 3, 20, 13]] and index.notes.counts[coco_shapes.CLIPPED] == 1


@pytest.mark.parametrize(
    "change, words",
    [
        ({"category_id": 5}, ["category 5", "2"]),
        ({"bbox": [2, 3, 20, 9]}, ["[2, 3, 20, 9]", "0 <= x <= 20"]),
        ({"bbox": [2, 3, -4, 9]}, ["width", "height", "from 0"]),
        ({"bbox": [2, 3, 9]}, ["[2, 3, 9]", "four", "finite"]),
        ({"bbox": [2, 3, float("nan"), 9]}, ["nan", "four", "finite"]),
        ({"segmentation": {"size": [16, 20], "counts": [100, 100]}}, ["run", "200", "320"]),
        ({"segmentation": {"size": [16, 20], "counts": "~~~"}}, ["'~'", "run-length"]),
        ({"segmentation": {"size": [20, 16], "counts": [320]}}, ["run-length", "[20, 16] ... [16, 20]"]),
        ({"segmentation": [[2, 3, 10, 3]]}, ["finite", "x, y, x, y"]),
        ({"segmentation": [[2, 3, 10, 3, 90, 12]]}, ["polygon", "0 <= x <= 20"]),
    ],
)
def test_broken_annotations_are_named(coco, change, words):
    coco.content["train"]["annotations"][0] |= change
    assert not lacking(coco.only_finding(), "instances_train.json", "001", "annotation 1", *words)
    assert not (coco.root.parent / "truth").exists()


def test_an_image_that_is_missing_damaged_or_of_another_size(coco):
    path = coco.root / "train" / "001.jpg"
    Image.new("RGB", (16, 20)).save(path)
    assert not lacking(coco.only_finding(), "001.jpg", "16x20 ... 20x16", "instances_train.json")
    path.write_bytes(path.read_bytes()[:100])
    assert not lacking(coco.only_finding(), "001.jpg", "damaged", "100")
    path.unlink()
    assert not lacking(coco.only_finding(), "instances_train.json", "image 001.jpg")


def test_an_annotation_of_no_image(coco):
    coco.add("train", 9, 3, [2, 3, 8, 9], SQUARE)
    assert not lacking(coco.only_finding(), "annotation 2", "image 9")


def test_an_image_in_both_lists(coco):
    coco.content["val"]["images"].append(coco.content["train"]["images"][0])
    (coco.root / "val" / "001.jpg").write_bytes((coco.root / "train" / "001.jpg").read_bytes())
    assert not lacking(coco.only_finding(), "image 001", "second")


@pytest.mark.parametrize(
    "categories, words",
    [
        ([{"id": 3, "name": "cat"}], ["instances_val.json", "categories", "train"]),
        ([{"id": 3, "name": "cat"}, {"id": 3, "name": "dog"}], ["instances_val.json", "categories", "twice"]),
    ],
)
def test_categories_that_do_not_fit(coco, categories, words):
    coco.content["val"]["categories"] = categories
    with raises(DatasetError, *words):
        coco.read()


def test_lists_that_are_missing_or_no_lists(coco):
    with raises(DatasetError, "instances_train.json", "one of none"):
        import_coco("toy", coco.root, "train", "val", coco.root.parent / "truth")
    coco.read()
    with raises(DatasetError, "instances_train2017.json", "train, val"):
        import_coco("toy", coco.root, "train2017", "val", coco.root.parent / "truth")
    del coco.content["train"]["annotations"]
    assert not lacking(coco.only_finding(), "instances_train.json", "list annotations")
    (coco.root / "annotations" / "instances_train.json").write_text("{")
    with raises(DatasetError, "instances_train.json", "JSON ("):
        import_coco("toy", coco.root, "train", "val", coco.root.parent / "truth")


def test_limit_and_working_size_are_those_of_other_folders(coco):
    index = coco.read(limit=1, max_side=10)
    assert len(index.splits["train"]) == 1 and len(index.records) == 2
    assert index.records["003"].boxes == [[1, 1, 5, 6]] and index.records["003"].truth_labels(index.root).shape == (
        16,
        20,
    )


def test_the_stage_reads_a_coco_folder_and_reports_what_it_left_out(coco, tmp_path, capsys):
    coco.read()
    argv = ["--root", coco.root, "--index", tmp_path / "out" / "index.json", "--kind", "coco"]
    stage.main([str(a) for a in argv])
    assert (tmp_path / "out" / "truth" / "SegmentationObject" / "001.png").exists()
    assert f"{coco_annotations.EMPTY}: 1" in capsys.readouterr().out
    with raises(ValueError, "data.truth_list", "VOC"):
        stage.main([str(a) for a in (*argv, "--truth-list", "train")])
