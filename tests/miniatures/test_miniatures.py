"""The miniatures as the datasets' usual readers see them: torchvision for VOC and SBD, pycocotools for COCO."""

import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO
from scipy.io import loadmat
from torchvision.datasets import SBDataset, VOCDetection, VOCSegmentation

from tests.miniatures import MINIATURES, context, points, sbd, voc2012, write
from tests.miniatures.coco20i import shown as shown_of_coco
from tests.miniatures.pascal5i import shown
from tests.miniatures.pictures import picture


@pytest.fixture(scope="module")
def voc(tmp_path_factory) -> Path:
    return write("sbd", write("voc2012", tmp_path_factory.mktemp("voc")))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}


def test_torchvision_reads_voc(voc):
    masks = VOCSegmentation(str(voc), year="2012", image_set="val")
    boxes = VOCDetection(str(voc), year="2012", image_set="train")
    (photo, mask), one = masks[1], picture("2007_000042", (12, 15))
    assert photo.size == mask.size and mask.mode == "P"
    assert set(np.unique(mask)) == {0, 12, 15, 255} and (np.asarray(mask) == one.with_void(one.labels)).all()
    assert len(masks) == 4 and len(boxes) == 4
    annotation = boxes[2][1]["annotation"]
    assert annotation["folder"] == "VOC2012" and annotation["object"][0]["part"]["name"] == "head"


def test_torchvision_reads_sbd(voc):
    root = str(voc / sbd.DATASET)
    masks, edges = SBDataset(root, "train", mode="segmentation"), SBDataset(root, "train", mode="boundaries")
    assert len(masks) == 4 and len(SBDataset(root, "val", mode="segmentation")) == 4
    for (_, mask), (_, boundary) in zip(masks, edges, strict=True):
        present = set(np.unique(mask).tolist()) - {0}
        assert 255 not in present and boundary.shape == (20, *np.shape(mask))
        assert {cls + 1 for cls in range(20) if boundary[cls].any()} == present


def test_objects_of_sbd_have_the_classes_of_its_masks(voc):
    for path in (voc / sbd.DATASET / "inst").glob("*.mat"):
        inst = loadmat(path)["GTinst"][0, 0]
        labels = loadmat(path.parents[1] / "cls" / path.name)["GTcls"][0, 0]["Segmentation"]
        assert (np.array([0, *inst["Categories"][:, 0]])[inst["Segmentation"]] == labels).all()


def test_pycocotools_reads_both_years(tmp_path):
    for year, name in ((2014, "COCO_train2014_000000000009.jpg"), (2017, "000000000009.jpg")):
        folder = write(f"coco{year}", tmp_path / str(year))
        coco = COCO(folder / "annotations" / f"instances_train{year}.json")
        assert coco.loadImgs([9])[0]["file_name"] == name and (folder / f"train{year}" / name).is_file()
        assert len(coco.getCatIds()) == 80 and coco.getCatIds()[-1] == 90
        polygons, crowd = coco.loadAnns(coco.getAnnIds(imgIds=[9], iscrowd=False)), coco.getAnnIds(iscrowd=True)
        assert len(polygons) == 2 and len(polygons[0]["segmentation"]) == 2 and len(crowd) == 1
        one, mask = picture("9", (1, 17)), coco.annToMask(polygons[0])
        assert (mask == (one.objects == 1)).mean() > 0.95


def test_context_has_59_of_459_names(tmp_path):
    root = write("context", tmp_path) / context.DEVKIT
    numbers = loadmat(root / "trainval" / "2008_000002.mat")["LabelMap"]
    assert numbers.dtype == np.uint16 and numbers.max() > 255
    lines, lines_of_59 = ((root / name).read_text().splitlines() for name in ("labels.txt", "59_labels.txt"))
    of = {name: int(number) for number, name in (line.split(": ") for line in lines)}
    spelt = {line.split(": ")[1] for line in lines_of_59}
    assert len(of) == 459 and len(spelt) == 59 and len(spelt - of.keys()) == 3 and of["sky"] == 360


def test_clicks_lie_on_their_objects(tmp_path):
    clicks = json.loads((write("whats_the_point", tmp_path) / points.FOLDER / points.CLICKS).read_text())
    for image_id, classes in {**voc2012.TRAIN, **voc2012.VAL, **voc2012.ONLY_SBD}.items():
        labels = picture(image_id, classes).labels
        assert [labels[int(p["y"]), int(p["x"])] for p in clicks[image_id]] == [p["cls"] for p in clicks[image_id]]


def test_few_shot_lists_have_three_pictures_of_every_class():
    for classes, of in ((20, shown), (80, shown_of_coco)):
        counts = np.bincount([cls for number in range(classes) for cls in of(number)], minlength=classes + 1)
        assert counts[0] == 0 and (counts[1:] == 3).all()


@pytest.mark.parametrize("name", ["voc2012", "scribblesup"])
def test_two_calls_write_the_same_bytes(name, tmp_path):
    first, second = files(write(name, tmp_path / "a")), files(write(name, tmp_path / "b"))
    assert first and first == second


def test_every_name_is_there():
    assert set(MINIATURES) >= {"voc2012", "sbd", "scribblesup", "whats_the_point", "context", "coco2014", "coco2017"}
