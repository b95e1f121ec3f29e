"""The COCO importer: what it understands, what it leaves out by rule and counts, and every refusal."""

import json

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from wsss_stages.data import coco as coco_module
from wsss_stages.data import coco_annotations, coco_shapes
from wsss_stages.data.coco import import_coco
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.images import read_labels
from wsss_stages.stages import data as stage

SQUARE = [[2, 3, 10, 3, 10, 12, 2, 12]]


class CocoFolder:
    """Images 1 and 2 for training, 3 for validation, with categories 7 (dog) and 3 (cat); tests spoil `content`."""

    def __init__(self, root):
        self.root = root
        self.content = {"train": self.list("train", 1, 2), "val": self.list("val", 3)}
        self.add("train", 1, 3, [2, 3, 8, 9], SQUARE)
        self.add("val", 3, 7, [2, 3, 8, 9], SQUARE)

    def list(self, name, *numbers):
        (self.root / name).mkdir(parents=True)
        for number in numbers:
            Image.new("RGB", (20, 16)).save(self.root / name / f"{number:03d}.jpg")
        images = [{"id": n, "file_name": f"{n:03d}.jpg", "width": 20, "height": 16} for n in numbers]
        categories = [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat"}]
        return {"images": images, "annotations": [], "categories": categories}

    def add(self, name, image, category, box, segmentation, **more):
        annotations = self.content[name]["annotations"]
        annotations.append(
            {"id": len(annotations) + 1, "image_id": image, "category_id": category, "bbox": box,
             "segmentation": segmentation, "iscrowd": 0, **more}
        )  # fmt: skip

    def read(self, **options):
        (self.root / "annotations").mkdir(exist_ok=True)
        for name, content in self.content.items():
            (self.root / "annotations" / f"instances_{name}.json").write_text(json.dumps(content))
        return import_coco("toy", self.root, "train", "val", self.root.parent / "truth", **options)

    def only_finding(self):
        with pytest.raises(DatasetError) as caught:
            self.read()
        (found,) = caught.value.findings
        return str(found)


@pytest.fixture
def coco(tmp_path):
    return CocoFolder(tmp_path / "coco")


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
    assert "annotation 1 with box" in (found := coco.only_finding()) and "and no mask" in found


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
        assert "a polygon that is none" in coco.only_finding(), "none is left"
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
    assert "iscrowd many; wanted 0 or 1" in coco.only_finding()


def test_boxes_given_twice_are_taken_once(coco):
    coco.add("train", 1, 3, [2.0, 3.0, 8.0, 9.0], SQUARE)
    coco.add("train", 1, 3, [2, 3, 8, 9], runs((2, 3, 10, 12)))
    coco.add("train", 1, 3, [2, 3, 8, 9], [])
    coco.add("train", 1, 3, [2, 3, 8, 9], runs((2, 3, 10, 4), (2, 3, 3, 12)))
    coco.add("train", 1, 7, [2, 3, 8, 9], SQUARE)
    index = coco.read()
    assert index.records["001"].box_classes == [1, 1, 2], "another mask and another class are other objects"
    assert index.notes[coco_annotations.TWICE].count == 3 and index.notes[coco_annotations.TWICE].names == ["001"]
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
    assert notes["annotation key keypoints, not used"].names == ["001", "002"]
    assert notes.counts["annotation key \\x1b[31m, not used"] == 1
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
        assert "001.jpg: found 20x16 pixels" in coco.only_finding()


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
    assert "a run-length code for a photograph of 20x16 pixels" in coco.only_finding()


@pytest.mark.parametrize("size", [(16, 20), (20, 17), (40, 30)])
def test_a_photograph_of_another_shape_is_another(coco, size):
    Image.new("RGB", size).save(coco.root / "train" / "001.jpg")
    assert f"001.jpg: found {size[0]}x{size[1]} pixels; wanted 20x16 as in" in coco.only_finding()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"category_id": 5}, "with category 5; wanted one of the file's 2 categories"),
        ({"bbox": [2, 3, 20, 9]}, "box [2, 3, 20, 9] outside the image; wanted 0 <= x <= 20"),
        ({"bbox": [2, 3, -4, 9]}, "wanted a width and height from 0"),
        ({"bbox": [2, 3, 9]}, "wanted four finite numbers"),
        ({"bbox": [2, 3, float("nan"), 9]}, "wanted four finite numbers"),
        ({"segmentation": {"size": [16, 20], "counts": [100, 100]}}, "run lengths that sum to 200, not 320"),
        ({"segmentation": {"size": [16, 20], "counts": "~~~"}}, "character '~' in a run-length code"),
        ({"segmentation": {"size": [20, 16], "counts": [320]}}, "a run-length code of size [20, 16]"),
        ({"segmentation": [[2, 3, 10, 3]]}, "wanted lists of finite numbers x, y, x, y"),
        ({"segmentation": [[2, 3, 10, 3, 90, 12]]}, "a polygon outside the image"),
    ],
)
def test_broken_annotations_are_named(coco, change, message):
    coco.content["train"]["annotations"][0] |= change
    found = coco.only_finding()
    assert "instances_train.json: found image 001: annotation 1 with" in found and message in found
    assert not (coco.root.parent / "truth").exists()


def test_an_image_that_is_missing_damaged_or_of_another_size(coco):
    path = coco.root / "train" / "001.jpg"
    Image.new("RGB", (16, 20)).save(path)
    assert "001.jpg: found 16x20 pixels; wanted 20x16 as in instances_train.json" in coco.only_finding()
    path.write_bytes(path.read_bytes()[:100])
    assert "001.jpg: found a damaged image" in coco.only_finding()
    path.unlink()
    assert "instances_train.json: found image 001.jpg without a file; wanted" in coco.only_finding()


def test_an_annotation_of_no_image(coco):
    coco.add("train", 9, 3, [2, 3, 8, 9], SQUARE)
    assert "annotation 2 of image 9, which is not in the list" in coco.only_finding()


def test_an_image_in_both_lists(coco):
    coco.content["val"]["images"].append(coco.content["train"]["images"][0])
    (coco.root / "val" / "001.jpg").write_bytes((coco.root / "train" / "001.jpg").read_bytes())
    assert "image 001 a second time" in coco.only_finding()


@pytest.mark.parametrize(
    "categories, message",
    [
        ([{"id": 3, "name": "cat"}], "categories other than those of train"),
        ([{"id": 3, "name": "cat"}, {"id": 3, "name": "dog"}], "none twice"),
    ],
)
def test_categories_that_do_not_fit(coco, categories, message):
    coco.content["val"]["categories"] = categories
    with pytest.raises(DatasetError, match=message):
        coco.read()


def test_lists_that_are_missing_or_no_lists(coco):
    with pytest.raises(DatasetError, match=r"instances_train.json: found no such file; wanted one of none"):
        import_coco("toy", coco.root, "train", "val", coco.root.parent / "truth")
    coco.read()
    with pytest.raises(DatasetError, match=r"instances_train2017.json: found no such file; wanted one of train, val"):
        import_coco("toy", coco.root, "train2017", "val", coco.root.parent / "truth")
    del coco.content["train"]["annotations"]
    assert "found no list annotations" in coco.only_finding()
    (coco.root / "annotations" / "instances_train.json").write_text("{")
    with pytest.raises(DatasetError, match="found no JSON"):
        import_coco("toy", coco.root, "train", "val", coco.root.parent / "truth")


def test_limit_and_working_size_are_those_of_other_folders(coco):
    index = coco.read(limit=1, max_side=10)
    assert len(index.splits["train"]) == 1 and len(index.records) == 2
    assert index.records["003"].boxes == [[1, 1, 5, 6]] and index.records["003"].truth_labels(index.root).shape == (
        16,
        20,
    )


def test_the_stage_reads_a_coco_folder_and_tells_what_it_left_out(coco, tmp_path, capsys):
    coco.read()
    argv = ["--root", coco.root, "--index", tmp_path / "out" / "index.json", "--kind", "coco"]
    stage.main([str(a) for a in argv])
    assert (tmp_path / "out" / "truth" / "SegmentationObject" / "001.png").exists()
    assert "images without objects: 1" in capsys.readouterr().out
    with pytest.raises(ValueError, match="are for folders in VOC layout"):
        stage.main([str(a) for a in (*argv, "--truth-list", "train")])
