"""Every format: what is written, what this project reads again, and what readers of others see in it."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from pycocotools.coco import COCO
from scipy import ndimage

from tests.data.exporters.conftest import CLASSES, H, W, numbers
from tests.data.importers.tools.conftest import labels_of
from wsss_stages.data import brush_rle
from wsss_stages.data.exporters.formats import FORMATS
from wsss_stages.data.exporters.formats.png import numbered
from wsss_stages.data.exporters.pictures import Picture, Thing
from wsss_stages.data.importers.kinds import KINDS, Settings
from wsss_stages.data.patches import Patch, iou
from wsss_stages.roads.export import export
from wsss_stages.roads.exported import Pictures, Run

KIND_OF = {
    "voc": "voc",
    "coco": "coco",
    "yolo": "yolo",
    "cvat": "cvat",
    "label-studio": "label_studio",
    "labelme": "labelme",
}


def written(masters, tmp_path, to, what="truth", per_object=True):
    pictures = Pictures(Run.open(tmp_path / "results", what, per_object), what, per_object)
    out = tmp_path / "out"
    return out, export(pictures, to, out, masters.classes, "masters", masters.root)


@pytest.mark.parametrize("to", KIND_OF)
def test_objects_come_back_as_they_were(masters, tmp_path, to):
    out, made = written(masters, tmp_path, to)
    assert (made.images, made.things, made.trip.masks) == (3, 5, 5)
    assert made.trip.worst == 1 and made.trip.under == made.trip.lost == 0
    settings = Settings("train", "val", "", "", "", 0, 0, 0, 0)
    index = KINDS[KIND_OF[to]]("again", out, tmp_path / "truth", settings)
    assert (
        index.classes == CLASSES and sorted(index.splits["train"]) == ["c", "hölzer"] and index.splits["val"] == ["a b"]
    )
    for image_id, mask in numbers().items():
        labels, objects = labels_of(index, image_id), labels_of(index, image_id, "instances")
        tiny = (mask == 1) & (image_id == "a b") & (to == "coco")  # under ten pixels COCO's importer takes for unknown
        assert (labels == np.where(tiny, 255, np.where(mask > 0, 2 - mask % 2, 0))).all()
        for k in set(np.unique(mask[~tiny])) - {0}:
            (number,) = np.unique(objects[mask == k])
            assert ((objects == number) == (mask == k)).all()
    kept = index.records["hölzer"]
    tight = [[2, 2, 11, 11], [11, 2, 20, 11], [0, 12, 20, 16]]
    assert sorted(kept.boxes) == sorted(tight) and kept.kinds == ["box"]


@pytest.mark.parametrize("to", [to for to in KIND_OF if to != "voc"])
def test_boxes_come_back_as_they_were(masters, tmp_path, to):
    out, made = written(masters, tmp_path, to, "boxes")
    assert made.things == 5 and made.trip.masks == 0 and "no mask" in str(made.trip)
    index = KINDS[KIND_OF[to]]("again", out, tmp_path / "truth", Settings("train", "val", "", "", "", 0, 0, 0, 0))
    for image_id, record in index.records.items():
        before = masters.records[image_id]
        assert record.boxes == before.boxes and record.box_classes == before.box_classes
        assert record.truth is None or (to == "coco" and not record.boxes)


@pytest.mark.parametrize("to", [*KIND_OF, "png"])
def test_classes_of_images_are_one_mask_each(masters, tmp_path, to):
    _, made = written(masters, tmp_path, to, per_object=False)
    assert made.things == made.trip.masks == 4 and made.trip.worst == 1


def test_pycocotools_reads_the_same_masks(masters, tmp_path):
    out, _ = written(masters, tmp_path, "coco")
    coco = COCO(str(out / "annotations" / "instances_train.json"))
    (image,) = (number for number, entry in coco.imgs.items() if entry["file_name"] == "hölzer.jpg")
    masks = {a["category_id"]: [] for a in coco.anns.values()}
    for annotation in coco.loadAnns(coco.getAnnIds(image)):
        masks[annotation["category_id"]].append(coco.annToMask(annotation))
        assert annotation["area"] == masks[annotation["category_id"]][-1].sum()
    mask = numbers()["hölzer"]
    assert (sum(masks[1]) == (mask % 2 == 1)).all() and (masks[2][0] == (mask == 2)).all()


@pytest.mark.parametrize("to", ["yolo", "coco"])
def test_supervision_reads_the_same_masks(masters, tmp_path, to):
    sv = pytest.importorskip("supervision")
    out, _ = written(masters, tmp_path, to)
    if to == "yolo":
        places = {"images_directory_path": out / "images/train", "annotations_directory_path": out / "labels/train"}
        dataset = sv.DetectionDataset.from_yolo(
            **{key: str(path) for key, path in places.items()}, data_yaml_path=str(out / "data.yaml"), force_masks=True
        )
    else:
        dataset = sv.DetectionDataset.from_coco(
            images_directory_path=str(out / "train"),
            annotations_path=str(out / "annotations/instances_train.json"),
            force_masks=True,
        )
    assert dataset.classes == CLASSES[1:]
    (found,) = (found for path, _, found in dataset if "hölzer" in path)
    mask = numbers()["hölzer"]
    for seen, cls in zip(found.mask, found.class_id, strict=True):
        of = next(k for k in (1, 2, 3) if (seen & (mask == k)).sum() > 2)
        assert cls == 1 - of % 2
        if to == "coco":
            assert (seen == (mask == of)).all()
        else:  # supervision rounds corners to whole pixels and fills with the border; a way between two parts has a pixel's width
            assert not (ndimage.binary_erosion(mask == of) & ~seen).any()
            assert of == 3 or not (seen & ~ndimage.binary_dilation(mask == of, np.ones((3, 3)))).any()


def test_cvat_s_runs_are_along_the_rows_of_a_mask_s_box(masters, tmp_path):
    out, _ = written(masters, tmp_path, "cvat")
    root = ElementTree.parse(out / "annotations.xml").getroot()
    assert [label.findtext("name") for label in root.iter("label")] == CLASSES[1:] and root.findtext("version") == "1.1"
    image = next(image for image in root.iter("image") if image.get("name") == "hölzer.jpg")
    assert (image.get("width"), image.get("height"), image.get("subset")) == (str(W), str(H), "train")
    mask = numbers()["hölzer"]
    for number, element in enumerate(image.findall("mask"), 1):
        left, top, width, height = (int(element.get(key)) for key in ("left", "top", "width", "height"))
        value, pixels = 0, []
        for run in element.get("rle").split(", "):  # CVAT: lengths along the rows, 0 first
            pixels += [value] * int(run)
            value = 1 - value
        canvas = np.zeros((H, W), int)
        canvas[top : top + height, left : left + width] = np.reshape(pixels, (height, width))
        assert (canvas == (mask == number)).all()


@pytest.mark.slow
def test_cvat_s_own_sdk_decodes_the_same_masks(masters, tmp_path):
    sdk = pytest.importorskip("cvat_sdk.masks")
    out, _ = written(masters, tmp_path, "cvat")
    image = next(i for i in ElementTree.parse(out / "annotations.xml").iter("image") if i.get("name") == "hölzer.jpg")
    for number, element in enumerate(image.findall("mask"), 1):
        left, top, width, height = (int(element.get(key)) for key in ("left", "top", "width", "height"))
        encoded = [*map(int, element.get("rle").split(",")), left, top, left + width - 1, top + height - 1]
        found = sdk.decode_mask(encoded, image_width=W, image_height=H)
        assert (found == (numbers()["hölzer"] == number)).all()


def test_label_studio_s_tasks_are_predictions_of_its_project(masters, tmp_path):
    out, _ = written(masters, tmp_path, "label-studio")
    config = ElementTree.parse(out / "label_config.xml").getroot()
    controls = {
        tag.get("name"): [label.get("value") for label in tag] for tag in config if tag.get("toName") == "image"
    }
    assert set(map(tuple, controls.values())) == {tuple(CLASSES[1:])}
    tasks = json.loads((out / "tasks.json").read_text(encoding="utf-8"))
    task = next(task for task in tasks if task["data"]["image"].endswith("h%C3%B6lzer.jpg"))
    assert "annotations" not in task and len(task["predictions"]) == 1
    for number, result in enumerate(task["predictions"][0]["result"], 1):
        assert result["from_name"] in controls and (result["original_width"], result["original_height"]) == (W, H)
        assert (brush_rle.decode(result["value"]["rle"], H, W) == (numbers()["hölzer"] == number)).all()


def test_yolo_s_settings_name_the_folders_and_classes(masters, tmp_path):
    out, made = written(masters, tmp_path, "yolo")
    content = yaml.safe_load((out / "data.yaml").read_text(encoding="utf-8"))
    assert content["names"] == dict(enumerate(CLASSES[1:])) and (out / content["train"] / "c.jpg").is_file()
    assert (out / "labels/train/c.txt").read_text() == ""
    assert sum(made.notes.counts.values()) == 2  # the ring and the object of two parts
    rows = (out / "labels/train/hölzer.txt").read_text().splitlines()
    assert all(0 <= float(share) <= 1 for row in rows for share in row.split()[1:])


def test_scores_stand_where_the_format_has_a_place(tmp_path):
    mask = np.zeros((H, W), bool)
    mask[2:5, 3:9] = True
    picture = Picture(
        "a", "a.jpg", "a.jpg", "val", H, W, [Thing(1, [3, 2, 9, 5], Patch.of(mask), 0.75)], mask.astype(np.uint8)
    )
    for to in ("coco", "label-studio"):
        (tmp_path / to).mkdir()
        writer = FORMATS[to](tmp_path / to, CLASSES, "x", True)
        writer.add(picture)
        writer.close()
        assert iou(writer.read(picture)[0], picture.things[0].patch) == 1
    coco = json.loads((tmp_path / "coco/annotations/instances_val.json").read_text())
    (task,) = json.loads((tmp_path / "label-studio/tasks.json").read_text())
    assert coco["annotations"][0]["score"] == 0.75
    assert task["predictions"][0]["score"] == task["predictions"][0]["result"][0]["score"] == 0.75


def test_where_objects_overlap_the_smaller_one_has_the_pixel_and_its_number():
    big, small = np.zeros((H, W), bool), np.zeros((H, W), bool)
    big[:8], small[2:4, 2:4] = True, True
    things = [Thing(1, [2, 2, 4, 4], Patch.of(small)), Thing(1, [0, 0, W, 8], Patch.of(big))]
    labels = np.where(big, 1, 0).astype(np.uint8)
    labels[15, 0] = 255
    found = numbered(Picture("a", "a.jpg", "a.jpg", "train", H, W, things, labels))
    assert found[3, 3] == 1 and found[7, 7] == 2 and found[15, 0] == 255 and found[14, 0] == 0
