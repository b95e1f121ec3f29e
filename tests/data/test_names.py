"""Names that would lead out of the dataset's folder, or hide what they are; and links, which may be whole folders only."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.messages import lacking
from wsss_stages.data.few_shot.supports import read_supports
from wsss_stages.data.findings import DatasetError, DefectError
from wsss_stages.data.importers.coco import import_coco
from wsss_stages.data.importers.lists import FROM_PATHS
from wsss_stages.data.importers.photographs import image_id
from wsss_stages.data.importers.voc import import_voc
from wsss_stages.data.names import below, class_problem, id_problem

EVIL = [
    "..",
    ".",
    "../b",
    "/etc/passwd",
    "a/b",
    "a\\b",
    "a\0",
    "a\x1b[31m",
    "a\u2028b",
    "a\u200bb",
    "a\u202eb",
    "\ud800",
    "x" * 201,
]


def findings(importer, *arguments, **options):
    with pytest.raises(DatasetError) as caught:
        importer(*arguments, **options)
    return [str(finding) for finding in caught.value.findings]


@pytest.mark.parametrize("name", [*EVIL, "", " ", " a", "a ", "a\u00a0b", "a\n"])
def test_what_is_no_id(name):
    assert id_problem(name)


@pytest.mark.parametrize("name", ["..", "../b", "a/../b", "/etc/passwd", "a//b", "a/", "", "a\\b", "a\0", 7, None])
def test_what_is_no_path_below_a_folder(name):
    with pytest.raises(DefectError):
        below(Path("folder"), name)
    assert below(Path("folder"), "a/b.jpg") == Path("folder/a/b.jpg")


@pytest.mark.parametrize(
    "name", ["2007_000032", "my cat", "Katze-é", "猫", ".b", "a.b", "-a", "<b>&'\"", "$(touch x);", "x" * 200]
)
def test_what_is_one(name):
    assert id_problem(name) is None


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a & b", "traffic light", "a/b", "$x$"])
def test_classes_may_have_any_visible_name(name):
    assert class_problem(name) is None


@pytest.mark.parametrize("name", ["a\x07", "a\u200b", "", " a", "x" * 101, "\ud800"])
def test_but_no_invisible_one(name):
    assert class_problem(name)


@pytest.mark.parametrize("name", [name for name in EVIL if "\ud800" not in name])
def test_a_list_cannot_name_a_file_elsewhere(voc, name):
    (voc.root.parent / "b.jpg").write_bytes((voc.root / "JPEGImages" / "b.jpg").read_bytes())
    voc.list("train", "a", name)
    if image_id(name.replace("\\", "/").split("/")[-1]) == "b":  # a path's last part, as many tools write lists
        (voc.root / "ImageSets" / "Segmentation" / "val.txt").unlink()
        index = import_voc("toy", voc.root)
        assert index.splits["train"] == ["a", "b"] and index.records["b"].photo == "JPEGImages/b.jpg"
        assert index.notes[FROM_PATHS].names == [name]
        return
    (found,) = findings(import_voc, "toy", voc.root)
    assert not lacking(found, "train.txt", "id", "photograph in JPEGImages")
    assert found.isprintable()


@pytest.mark.parametrize("sign", ["\u2028", "\x0b", "\x0c", "\x1c", "\x85"])
def test_no_hidden_separator_ends_a_line(voc, sign):
    (voc.root / "ImageSets" / "Segmentation" / "train.txt").write_text(f"a{sign}b\n")
    assert not lacking(findings(import_voc, "toy", voc.root)[0], "train.txt", "invisible", f"{sign!a}")


@pytest.mark.parametrize("setting", ["train_list", "val_list", "truth_list"])
@pytest.mark.parametrize("name", ["../../../secret", "/etc/passwd"])
def test_a_setting_cannot_name_a_list_elsewhere(voc, setting, name):
    (voc.root.parent / "secret.txt").write_text("a\n")
    found = findings(import_voc, "toy", voc.root, **{setting: name})[0]
    assert not lacking(found, repr(f"{name}.txt"), f" {voc.root}")


def test_a_photograph_of_a_strange_name_is_reported(voc):
    for path in voc.root.glob("ImageSets/*/*"):
        path.unlink()
    (voc.root / "ImageSets" / "Segmentation").rmdir()
    voc.photo("c\u202egpj")
    (found,) = findings(import_voc, "toy", voc.root)
    assert not lacking(found, "JPEGImages/c\\u202egpj.jpg", "invisible", "'\\u202e'", "Rename")


def test_a_class_of_a_strange_name_is_reported(voc):
    (voc.root / "classes.txt").write_text("background\ncat\ndog\ncow\u200b\n", encoding="utf-8")
    (found,) = findings(import_voc, "toy", voc.root)
    assert not lacking(found, "classes.txt", "'cow\\u200b'", "invisible", "Rename")


FILES = {
    "JPEGImages/a.jpg": "photograph",
    "SegmentationClass/a.png": "truth",
    "Annotations/a.xml": "boxes",
    "classes.txt": "classes",
    "ImageSets/Segmentation/train.txt": "list",
}


@pytest.mark.parametrize("name", FILES)
def test_a_link_to_a_file_elsewhere_is_refused(voc, name):
    path = voc.root / name
    path.rename(voc.root.parent / "elsewhere")
    path.symlink_to(voc.root.parent / "elsewhere")
    found = findings(import_voc, "toy", voc.root)[0]
    assert not lacking(found, f"{path}: ", f"link to {voc.root.parent / 'elsewhere'}", "Copy", path.parent.name)


@pytest.mark.parametrize("name", ["points.json", "tags.csv", "cls_labels.npy", "Scribbles/a.png", "Scribbles/a.xml"])
def test_so_is_one_of_weak_labels(voc, name):
    (voc.root.parent / "elsewhere").write_text("{}")
    (voc.root / "Scribbles").mkdir()
    (voc.root / name).symlink_to(voc.root.parent / "elsewhere")
    assert not lacking(findings(import_voc, "toy", voc.root)[0], name, f"link to {voc.root.parent / 'elsewhere'}")


def test_links_within_the_dataset_and_whole_folders_elsewhere_are_followed(voc):
    voc.list("train", "a", "c")
    (voc.root / "JPEGImages" / "c.jpg").symlink_to("a.jpg")
    (voc.root / "SegmentationClass" / "c.png").symlink_to(voc.root / "SegmentationClass" / "a.png")
    for name in ("JPEGImages", "Annotations"):
        (voc.root / name).rename(voc.root.parent / name)
        (voc.root / name).symlink_to(voc.root.parent / name)
    linked = voc.root.parent / "dataset"
    linked.symlink_to(voc.root)
    index = import_voc("toy", linked)
    assert index.records["c"].truth == "SegmentationClass/c.png" and index.records["a"].box_classes == [1]


def test_a_link_to_nothing_and_a_folder_are_no_files(voc):
    (voc.root / "SegmentationClass" / "a.png").unlink()
    (voc.root / "SegmentationClass" / "a.png").symlink_to("nowhere.png")
    assert not lacking(findings(import_voc, "toy", voc.root)[0], "a.png: ", "link", "nothing")
    (voc.root / "SegmentationClass" / "a.png").unlink()
    (voc.root / "SegmentationClass" / "a.png").mkdir()
    assert not lacking(findings(import_voc, "toy", voc.root)[0], "a.png", "regular file")


def test_a_pipe_is_not_waited_for(voc):
    (voc.root / "JPEGImages" / "a.jpg").unlink()
    os.mkfifo(voc.root / "JPEGImages" / "a.jpg")
    assert not lacking(findings(import_voc, "toy", voc.root)[0], "a.jpg", "regular file")


@pytest.mark.parametrize("name", [*EVIL, 7, None, "a\u00a0.jpg", "...jpg"])
def test_a_json_cannot_name_a_photograph_elsewhere(tmp_path, name):
    for folder in ("coco/train", "coco/annotations"):
        (tmp_path / folder).mkdir(parents=True)
    for path in ("b", "coco/b", "coco/train/b"):
        Image.new("RGB", (20, 16)).save(tmp_path / f"{path}.jpg")
    content = {
        "images": [{"id": 1, "file_name": name, "width": 20, "height": 16}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [],
    }
    (tmp_path / "coco/annotations/instances_train.json").write_text(json.dumps(content))
    (found,) = findings(import_coco, "toy", tmp_path / "coco", "train", "val", tmp_path / "truth")
    assert not lacking(found, "instances_train.json") and not (tmp_path / "truth").exists()
    if name not in ("a/b",):
        assert not lacking(found, *([f" {tmp_path / 'coco'}"] if isinstance(name, str) else [str(name), "text"]))


def test_supports_cannot_be_links_elsewhere(tmp_path):
    folder = tmp_path / "support"
    (folder / "masks").mkdir(parents=True)
    Image.new("RGB", (20, 16)).save(folder / "a.jpg")
    Image.fromarray(np.eye(16, 20, dtype=np.uint8)).save(tmp_path / "a.png")
    (folder / "masks" / "a.png").symlink_to(tmp_path / "a.png")
    assert not lacking(findings(read_supports, folder)[0], "--support", f"link to {tmp_path / 'a.png'}")


def test_two_supports_of_one_name_would_share_a_result(tmp_path):
    for suffix in (".jpg", ".png"):
        Image.new("RGB", (20, 16)).save(tmp_path / f"a{suffix}")
    (found,) = findings(read_supports, tmp_path)
    assert not lacking(found, "a.png: ", "second", "a.jpg")
