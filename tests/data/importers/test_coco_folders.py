"""Folders as tools export COCO: where lists and photographs lie, what their names and ids are, and what no list names."""

import unicodedata

import pytest

from tests.messages import lacking, only
from wsss_stages.data.importers import coco, coco_content, coco_lists, coco_names, coco_photos


@pytest.mark.parametrize(
    "path, photo, name",
    [
        ("annotations/instances_train.json", "train/a.jpg", "a.jpg"),
        ("annotations/instances_train.json", "images/train/a.jpg", "a.jpg"),
        ("annotations/instances_train.json", "images/a.jpg", "a.jpg"),
        ("annotations/instances_train.json", "images/a.jpg", "images\\a.jpg"),
        ("annotations/instances_train.json", "a.jpg", "./a.jpg"),
        ("annotations/instances_default.json", "images/default/a.jpg", "a.jpg"),
        ("annotations/train.json", "train/a.jpg", "train/a.jpg"),
        ("annotations/train_coco.json", "train/a.jpg", "a.jpg"),
        ("train/_annotations.coco.json", "train/a.jpg", "a.jpg"),
        ("result.json", "images/a.jpg", "images\\a.jpg"),
        ("annotations.json", "JPEGImages/a.jpg", "JPEGImages/a.jpg"),
        ("train.json", "train/images/a.jpg", "a.jpg"),
        ("labels.json", "data/a.jpg", "a.jpg"),
    ],
)
def test_a_list_and_its_photographs_are_found_where_tools_put_them(folder, path, photo, name):
    folder.photo(photo)
    folder.list(path, name)
    index = folder.read()
    assert index.splits == {"train": ["a"], "val": []} and index.records["a"].photo == photo
    assert index.notes[coco_lists.NO_VALIDATION].names == ["val"]
    taken = index.notes.counts.get(coco_lists.TAKEN.format("train"), 0)
    assert taken == (path != "annotations/instances_train.json") and coco_photos.UNLISTED not in index.notes
    assert index.notes.counts.get(coco_photos.BACKSLASHES, 0) == ("\\" in name)


def test_validation_images_are_found_under_their_other_names(folder):
    for name in ("train", "valid", "test"):
        folder.photo(f"{name}/{name}.jpg")
        folder.list(f"{name}/_annotations.coco.json", f"{name}.jpg")
    index = folder.read()
    assert index.splits == {"train": ["train"], "val": ["valid"]}
    assert index.notes[coco_lists.TAKEN.format("val")].names == ["valid/_annotations.coco.json"]
    assert index.notes[coco_lists.UNREAD].names == ["test/_annotations.coco.json"]
    assert index.notes[coco_photos.UNLISTED].names == ["test/test.jpg"]
    assert folder.read("test", "")


def test_default_names_mean_the_only_year(folder):
    for name in ("train2017", "val2017"):
        folder.photo(f"{name}/{name}.jpg")
        folder.list(f"annotations/instances_{name}.json", f"{name}.jpg")
        folder.list(f"annotations/captions_{name}.json", f"{name}.jpg")
    index = folder.read()
    assert index.splits == {"train": ["train2017"], "val": ["val2017"]}
    assert index.notes[coco_lists.UNREAD].count == 2


def test_more_than_one_list_that_may_be_meant(folder):
    folder.photo("images/a.jpg")
    for path in ("annotations/instances_default.json", "result.json", "test.json"):
        folder.list(path, "a.jpg")
    (found,) = folder.findings()
    assert not lacking(found, "list", "default, result", "data.train_list")
    assert folder.read("result").splits["train"] == ["a"]


def test_a_list_is_never_taken_for_what_its_name_denies_nor_twice(folder):
    folder.photo("images/a.jpg")
    folder.list("annotations/instances_val.json", "a.jpg")
    (found,) = folder.findings()
    assert not lacking(found, "instances_train.json", "one of val", "data.train_list")
    (found,) = folder.findings("val", "val")
    assert not lacking(found, "instances_val.json", "data.val_list val")
    assert folder.read("val", "").splits == {"train": ["a"], "val": []}


def test_other_json_files_are_no_lists_and_broken_ones_are_reported(folder):
    folder.photo("images/a.jpg")
    folder.list("result.json", "a.jpg")
    folder.write("settings.json", {"images": 1})
    index = folder.read()
    assert index.splits["train"] == ["a"] and index.notes[coco_lists.UNREAD].names == ["settings.json"]
    (folder.root / "result.json").write_text("{")
    (found,) = folder.findings()
    assert not lacking(found, "result.json", "JSON (")


@pytest.mark.parametrize(
    "name", ["/home/x/images/a.jpg", "C:\\x\\a.jpg", "../images/a.jpg", "file:///x/a.jpg", "elsewhere/a.jpg", "A.JPG"]
)
def test_a_path_of_another_machine_means_the_only_photograph_of_its_name(folder, name):
    folder.photo("train/a.jpg")
    folder.list("annotations/instances_train.json", name)
    index = folder.read()
    assert index.records["a"].photo == "train/a.jpg"
    text = coco_photos.BY_LETTERS if name == "A.JPG" else coco_photos.BY_LAST_PARTS
    assert index.notes[text].names == ["train/a.jpg"]


def test_of_several_photographs_of_a_name_the_path_decides_or_the_user(folder):
    folder.photo("images/x/a.jpg")
    folder.photo("images/y/a.jpg")
    folder.list("annotations/instances_train.json", "/home/me/x/a.jpg")
    assert folder.read().records["a"].photo == "images/x/a.jpg"
    folder.list("annotations/instances_train.json", "/home/me/z/a.jpg")
    (found,) = folder.findings()
    assert not lacking(found, "instances_train.json", "/home/me/z/a.jpg", "images/x/a.jpg", "images/y/a.jpg")


def test_the_photographs_of_one_list_are_not_guessed_from_those_of_another(folder):
    folder.photo("train/a.jpg")
    folder.photo("train/b.jpg")
    folder.photo("val/c.jpg")
    folder.list("annotations/instances_train.json", "a.jpg")
    folder.list("annotations/instances_val.json", "c.jpg", "b.jpg")
    (found,) = folder.findings()
    assert not lacking(found, "instances_val.json", "image b.jpg")


def test_names_that_differ_in_their_normal_form_are_one(folder):
    composed, decomposed = (unicodedata.normalize(form, "é.jpg") for form in ("NFC", "NFD"))
    folder.photo(f"train/{decomposed}")
    folder.list("annotations/instances_train.json", composed)
    index = folder.read()
    assert index.splits["train"] == ["\xe9"] and index.records["\xe9"].photo == f"train/{decomposed}"
    assert index.notes.counts[coco_photos.BY_LETTERS] == 1
    folder.photo(f"train/{composed}")
    folder.list("annotations/instances_train.json", composed, decomposed)
    (found,) = folder.findings()
    assert not lacking(found, "image \xe9", "second")


def test_one_name_in_several_subfolders_makes_ids_of_paths(folder):
    names = ("a/1.jpg", "a/2.jpg", "b/1.jpg", "3.jpg")
    for name in names:
        folder.photo(f"train/{name}")
    folder.list("annotations/instances_train.json", *names)
    index = folder.read()
    assert index.splits["train"] == ["a_1", "a_2", "b_1", "3"]
    assert index.records["b_1"].photo == "train/b/1.jpg"
    assert index.notes[coco_names.FROM_PATHS].count == 3
    folder.list("annotations/instances_train.json", *names[1:])
    assert folder.read().splits["train"] == ["2", "1", "3"], "no name occurs twice"
    folder.photo("train/a_1.jpg")
    folder.list("annotations/instances_train.json", *names, "a_1.jpg")
    (found,) = folder.findings()
    assert not lacking(found, "image a_1", "second")


def test_one_name_in_both_lists_is_two_images_if_the_files_differ(folder):
    for name in ("train", "val"):
        folder.photo(f"images/{name}/1.jpg", seed=len(name))
        folder.list(f"annotations/instances_{name}.json", "1.jpg")
    index = folder.read()
    assert index.splits == {"train": ["images_train_1"], "val": ["images_val_1"]}
    assert index.notes.counts[coco_names.FROM_PATHS] == 2
    folder.photo("images/val/1.jpg", seed=len("train"))
    (found,) = folder.findings()
    assert not lacking(found, "instances_val.json", "image 1", "second")


def test_photographs_that_no_list_names_are_counted(folder):
    names = [
        f"{place}{number}.{kind}" for place in ("train/", "train/sub/", "") for number, kind in ((1, "jpg"), (2, "png"))
    ]
    for name in names:
        folder.photo(name)
    (folder.root / "train" / "3.HEIC").write_bytes(b"")
    folder.list("annotations/instances_train.json", "1.jpg")
    notes = folder.read().notes
    assert notes.counts[coco_photos.UNLISTED] == 6 and notes[coco_photos.UNLISTED].names == [
        "1.jpg",
        "2.png",
        "train/2.png",
    ]


def test_ids_are_one_whatever_way_they_are_written(folder):
    folder.photo("train/a.jpg")
    folder.photo("train/b.jpg")
    content = folder.list("annotations/instances_train.json", "a.jpg", "b.jpg")
    content["images"][0]["id"] = "0"
    content["images"][1]["id"] = 1.0
    content["annotations"][1] |= {"image_id": "1", "category_id": "7"}
    content["annotations"][0] |= {"image_id": 0.0, "category_id": 10}
    content["categories"] = [{"id": "10", "name": "dog"}, {"id": 7, "name": "cat"}]
    folder.write("annotations/instances_train.json", content)
    index = folder.read()
    assert index.classes == ["background", "cat", "dog"], "in the order of numbers, not of texts"
    assert [index.records[name].box_classes for name in ("a", "b")] == [[2], [1]]
    assert index.notes.counts[coco_content.WRITTEN] == 6
    content["images"][0]["id"], content["annotations"][0]["image_id"] = "x", "x"
    folder.write("annotations/instances_train.json", content)
    assert folder.read().records["a"].box_classes == [2], "other texts are ids, too"


def test_an_id_as_text_and_as_number_of_two_images(folder):
    folder.photo("train/a.jpg")
    folder.photo("train/b.jpg")
    content = folder.list("annotations/instances_train.json", "a.jpg", "b.jpg")
    content["images"][0]["id"] = "1"
    content["annotations"][0]["image_id"] = "1"
    folder.write("annotations/instances_train.json", content)
    (found,) = folder.findings()
    assert not lacking(found, "image id 1", "2")
    content["categories"].append({"id": "1", "name": "dog"})
    folder.write("annotations/instances_train.json", content)
    assert only(folder.findings(), "categories", "twice")


def test_entries_given_twice_alike_are_taken_once(folder):
    folder.photo("train/a.jpg")
    content = folder.list("annotations/instances_train.json", "a.jpg")
    content["images"] *= 2
    content["categories"] *= 2
    folder.write("annotations/instances_train.json", content)
    index = folder.read()
    assert index.splits["train"] == ["a"] and index.notes.counts[coco_content.REPEATED] == 2


@pytest.mark.parametrize("name", ["background", "Background", "_background_"])
def test_the_background_is_no_class(folder, name):
    folder.photo("train/a.jpg")
    categories = [{"id": 0, "name": name}, {"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    folder.list("annotations/instances_train.json", "a.jpg", categories=categories)
    index = folder.read()
    assert index.classes == ["background", "cat", "dog"] and index.records["a"].box_classes == [1]
    assert index.notes.counts[coco_content.NO_BACKGROUND] == 1
    assert index.notes[coco.UNUSED].names == ["dog"]


def test_findings_of_lists_and_of_annotations_come_together(folder):
    folder.photo("train/a.jpg")
    content = folder.list("annotations/instances_train.json", "a.jpg", "b.jpg")
    content["annotations"][0]["bbox"] = [2, 3, 90, 9]
    folder.write("annotations/instances_train.json", content)
    found = folder.findings()
    assert len(found) == 2 and not lacking(found[0], "instances_train.json", "image b.jpg")
    assert not lacking(found[1], "annotation 0", "[2, 3, 90, 9]")


def test_images_beyond_the_limit_are_counted(folder):
    for name in "abc":
        folder.photo(f"train/{name}.jpg")
    folder.list("annotations/instances_train.json", "a.jpg", "b.jpg", "c.jpg")
    index = folder.read(limit=1)
    assert len(index.records) == 1 and index.notes.counts[coco.LIMITED] == 2
