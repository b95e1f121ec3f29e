"""VOC 2012 with SBD as published, in miniature: lists, masks from both, boxes, scribbles, clicks, and folders that are refused."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from tests import miniatures
from tests.messages import lacking, only, raises
from tests.miniatures import pascal5i, points, sbd, scribbles, voc2012
from tests.miniatures.pictures import picture, save_lines
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.images import read_labels
from wsss_stages.data.importers.kinds import KINDS, Settings
from wsss_stages.data.importers.sbd import BY_SBD, Sbd
from wsss_stages.data.importers.voc import UNCLICKED
from wsss_stages.data.weak.completeness import missing
from wsss_stages.data.weak.weak_labels import OUTSIDE

NOTHING = Settings("train_aug", "val", "", "", "", 0, 0, 0, 0)
SHOWN = {**voc2012.TRAIN, **voc2012.VAL, **voc2012.ONLY_SBD, **voc2012.TEST}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    for name in ("voc2012", "sbd", "scribblesup", "whats_the_point"):
        miniatures.write(name, folder)
    return folder


@pytest.fixture
def root(published, tmp_path):
    return shutil.copytree(published, tmp_path / "data")


def settings(**options):
    return Settings(**{**vars(NOTHING), **options})


def read(root, **options):
    return KINDS["voc2012"]("voc12", root, root.parent / "truth", settings(**options))


def findings(root, **options):
    with pytest.raises(DatasetError) as caught:
        read(root, **options)
    assert not (root.parent / "truth").exists()
    return [str(finding) for finding in caught.value.findings]


def mat(root, image_id, folder="cls"):
    return root / sbd.DATASET / folder / f"{image_id}.mat"


def test_train_aug_is_vocs_train_and_all_of_sbd_without_vocs_val(root):
    index = read(root)
    assert index.splits == {"train": [*voc2012.TRAIN, *sorted(voc2012.ONLY_SBD)], "val": list(voc2012.VAL)}


@pytest.mark.parametrize("published", [False, True])
def test_train_sbd_is_pfenets_list(tmp_path, published):
    folder = miniatures.write("pascal5i", tmp_path)
    if published:
        shutil.copy(folder / "lists" / "pascal" / "sbd_data.txt", folder / sbd.DATASET / "train_noval.txt")
        lines = (folder / sbd.DATASET / "train_noval.txt").read_text().splitlines()
        save_lines(folder / sbd.DATASET / "train_noval.txt", [line.split()[0][11:-4] for line in lines])
        (folder / voc2012.DEVKIT / "ImageSets" / "Main" / "train.txt").unlink()
    lines = (folder / "lists" / "pascal" / "voc_sbd_merge_noduplicate.txt").read_text().splitlines()
    found = []
    made = Sbd(folder / sbd.DATASET).lists(folder / voc2012.DEVKIT / "ImageSets" / "Segmentation", found)
    assert made["train_sbd"] == [line.split()[0].removeprefix("JPEGImages/").removesuffix(".jpg") for line in lines]
    assert not found and len(made["train_aug"]) == 3 * pascal5i.PICTURES


def test_masks_are_vocs_and_else_sbds(root):
    index = read(root)
    for image_id, record in index.records.items():
        one, labels = picture(image_id, SHOWN[image_id]), read_labels(index.root / record.truth)
        numbers = read_labels(index.root / record.instances)
        by_sbd = image_id in voc2012.ONLY_SBD
        assert (labels == (one.labels if by_sbd else one.with_void(one.labels))).all()
        assert (numbers == (one.objects if by_sbd else one.with_void(one.objects))).all()
        assert (root.parent / "truth" in (index.root / record.truth).parents) is by_sbd
    assert index.notes[BY_SBD].count == 2 * len(voc2012.ONLY_SBD)


def test_every_image_of_train_aug_has_the_boxes_of_its_xml(root):
    index = read(root)
    assert not missing(index, "box")
    for record in index.split("train"):
        one = picture(record.id, SHOWN[record.id])
        boxes = np.array([one.box(number) for number in range(1, len(one.classes) + 1)])
        assert record.box_classes == list(one.classes) and np.abs(np.array(record.boxes) - boxes).max() <= 1


def test_the_test_split_has_photographs_only(root):
    index = read(root, train_list="trainval", val_list="test")
    assert index.splits == {"train": sorted([*voc2012.TRAIN, *voc2012.VAL]), "val": list(voc2012.TEST)}
    assert not any(record.truth or record.instances or record.boxes for record in index.split("val"))


def test_a_test_that_is_not_there_is_refused(root):
    (root / voc2012.DEVKIT / "ImageSets" / "Segmentation" / "test.txt").unlink()
    assert only(findings(root, val_list="test"), "Segmentation/test.txt", "VOC2012test.tar", "account")


@pytest.mark.parametrize(
    ("weak", "folder"), [("scribble", scribbles.FOLDER.parent), ("point", points.FOLDER)], ids=["scribbles", "points"]
)
def test_published_weak_labels_are_read_under_their_own_names(root, weak, folder):
    index = read(root, weak_labels=str(root / folder))
    assert not missing(index, weak)
    for record in index.split("train"):
        labels = picture(record.id, SHOWN[record.id]).labels
        if weak == "point":
            assert {cls for _, _, cls in record.points} == {0, *SHOWN[record.id]}
            assert all(labels[y, x] == cls for x, y, cls in record.points)
        else:
            assert record.scribble_classes == sorted({0, *SHOWN[record.id]})


@pytest.mark.parametrize("name", [points.CLICKS, "points.json"])
def test_published_clicks_outside_and_images_without_one_are_left_out_and_noted(root, name):
    path = root / points.FOLDER / points.CLICKS
    clicks = json.loads(path.read_text())
    clicks["2007_000032"][0]["x"] = 754.3
    clicks["2007_000039"] = []
    clicks["2008_000002"][0]["y"] = 491.0
    path.unlink()
    (root / points.FOLDER / name).write_text(json.dumps(clicks))
    weak = str(root / points.FOLDER)
    if name == "points.json":
        assert only(findings(root, weak_labels=weak), "points.json", "754.3", "2007_000032")
        return
    index = read(root, weak_labels=weak)
    assert set(SHOWN) - set(index.records) - set(voc2012.TEST) == {"2007_000039", "2008_000002"}
    assert index.splits["train"] == [name for name in read(root).splits["train"] if name in index.records]
    assert [cls for _, _, cls in index.records["2007_000032"].points] == [15, 0, 0]
    assert (index.notes[OUTSIDE].count, index.notes[UNCLICKED].count) == (2, 2)
    assert not missing(index, "point")


def test_two_files_of_clicks_are_refused(root):
    (root / points.FOLDER / "points.json").write_text("{}")
    assert only(findings(root, weak_labels=str(root / points.FOLDER)), points.CLICKS, "points.json", "one")


def test_boxes_need_no_sbd_where_the_list_has_a_file(tmp_path):
    root = miniatures.write("voc2012", tmp_path / "data")
    ids = [*voc2012.TRAIN, *voc2012.ONLY_SBD]
    save_lines(root / voc2012.DEVKIT / "ImageSets" / "Segmentation" / "train_aug.txt", ids)
    index = read(root)
    assert index.splits["train"] == ids and not missing(index, "box")
    assert [image_id for image_id in ids if index.records[image_id].truth] == list(voc2012.TRAIN)


@pytest.mark.parametrize("place", ["", "VOCdevkit", "VOCdevkit/VOC2012"])
def test_vocs_folder_may_be_named_itself(root, place):
    other = root.parent / "sbd"
    (root / "benchmark_RELEASE").rename(other)
    index = read(root / place, sbd=str(other / "dataset"))
    assert index.root == (root / voc2012.DEVKIT).resolve() and len(index.splits["train"]) == 8


def test_a_mat_that_is_cut_off_is_a_finding(root):
    path = mat(root, "2008_000002")
    for share in (0.0, 0.3, 0.6, 0.95):
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])
        assert only(findings(root), "cls/2008_000002.mat", "GTcls.Segmentation", "archive")
        path.write_bytes(content)


def test_a_mat_of_something_else_is_a_finding(root):
    savemat(mat(root, "2008_000008"), {"GTinst": {"Segmentation": np.zeros((3, 3), np.uint8)}})
    savemat(mat(root, "2008_000002"), {"GTcls": np.zeros((3, 3), np.uint8)})
    savemat(mat(root, "2008_000003"), {"GTcls": {"Segmentation": np.full((3, 3), 0.5)}})
    savemat(mat(root, "2008_000023"), {"GTcls": {"Segmentation": np.zeros((3, 4), np.uint8)}})
    texts = findings(root)
    assert only(texts, "2008_000008.mat", "variable GTcls") and only(texts, "2008_000002.mat", "field Segmentation")
    assert only(texts, "2008_000003.mat", "fractions") and only(texts, "2008_000023.mat", "4x3 pixels")


def test_vocs_borders_in_sbds_place_are_a_finding(root):
    one = picture("2008_000002", SHOWN["2008_000002"])
    savemat(mat(root, one.id), {"GTcls": {"Segmentation": one.with_void(one.labels)}})
    assert only(findings(root), "cls/2008_000002.mat", "255", "0..20", "benchmark.tgz")
    savemat(mat(root, one.id), {"GTcls": {"Segmentation": np.full(one.size, 21, np.uint8)}})
    assert only(findings(root), "cls/2008_000002.mat", "[21]", "0..20")


def test_pngs_in_sbds_place_are_refused(root):
    folder = root.parent / "SegmentationClassAug"
    folder.mkdir()
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(folder / "2008_000002.png")
    assert only(findings(root, sbd=str(folder)), str(folder), "cls/ID.mat", "benchmark_RELEASE/dataset")


def test_another_year_is_refused(root):
    (root / "VOCdevkit" / "VOC2012").rename(root / "VOCdevkit" / "VOC2007")
    for place in ("", "VOCdevkit", "VOCdevkit/VOC2007"):
        assert only(findings(root / place), "VOC2007", "VOCdevkit/VOC2012", "VOCtrainval_11-May-2012.tar")


def test_ids_without_xml_are_named(root):
    (root / voc2012.DEVKIT / "Annotations" / "2008_000002.xml").unlink()
    (finding,) = missing(read(root), "box")
    assert not lacking(str(finding), "2008_000002.jpg", "boxes")


def test_ids_of_another_release_are_findings(root):
    save_lines(root / sbd.DATASET / "train.txt", ["2007_000032", "2011_999999"])
    assert only(findings(root), "train_aug.txt", "2011_999999", "JPEGImages/2011_999999.jpg")


def test_a_list_of_sbd_that_is_missing_is_a_finding(root):
    (root / sbd.DATASET / "val.txt").unlink()
    assert only(findings(root), f"{sbd.DATASET}/val.txt", "file")


@pytest.mark.parametrize("kind", ["coco", "context", "yolo"])
def test_sbd_is_for_vocs_layout(root, kind):
    with raises(ValueError, "data.sbd"):
        KINDS[kind]("voc12", root, root.parent / "truth", settings(sbd="somewhere"))
