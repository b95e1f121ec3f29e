"""Weak labels that a run needs of the training images."""

import json

import numpy as np
import pytest

from tests.messages import lacking, raises
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.importers.voc import import_voc
from wsss_stages.data.weak.completeness import missing


def found(voc, weak):
    return [str(finding) for finding in missing(import_voc("toy", voc.root), weak)]


@pytest.fixture
def bare(voc):
    """Return a dataset whose training image has no weak label."""
    (voc.root / "Annotations" / "a.xml").unlink()
    return voc


@pytest.mark.parametrize(
    "weak, what", [("box", "boxes"), ("scribble", "scribbles"), ("point", "points"), ("tag", "tags")]
)
def test_images_without_the_kind_are_named(bare, weak, what):
    (finding,) = found(bare, weak)
    assert not lacking(finding, "a.jpg", f"no {what}", "training image a")


def test_other_labels_that_there_are_are_named(voc):
    assert not lacking(found(voc, "point")[0], "a.jpg", "points ... image a", "boxes")


def test_tags_may_follow_from_other_labels(voc):
    assert found(voc, "box") == [] and found(voc, "tag") == []


def test_an_annotation_without_objects_is_enough_beside_one_with(voc):
    voc.photo("c")
    voc.boxes("c")
    voc.list("train", "a", "c")
    assert found(voc, "box") == []


@pytest.mark.parametrize("weak", ["box", "tag", "mixed"])
def test_labels_without_any_class_are_refused(voc, weak):
    voc.boxes("a")
    (finding,) = found(voc, weak)
    assert not lacking(finding, f"{voc.root}: ", "no class", "1", "training images")


def test_a_list_of_background_alone_is_refused(voc):
    (voc.root / "classes.txt").write_text("background\n")
    for name in "ab":
        voc.boxes(name)
        (voc.root / "SegmentationClass" / f"{name}.png").unlink()
    (finding,) = found(voc, "box")
    assert not lacking(finding, f"{voc.root}: ", "background", "classes.txt")


def test_boxes_too_small_to_learn_from_are_refused(voc):
    voc.boxes("a", ("cat", 2, 3, 10, 5), ("dog", 2, 3, 3, 12))
    (finding,) = found(voc, "box")
    assert not lacking(finding, f"{voc.root}: ", "boxes", "3 pixels", "1", "4 pixels", "data.max_side")
    voc.boxes("a", ("cat", 2, 3, 10, 5), ("dog", 2, 3, 5, 12))
    assert found(voc, "box") == []


def test_a_tag_without_its_box(voc):
    (voc.root / "tags.csv").write_text("id,class\na,cat\na,dog\nb,cat\n")
    (finding,) = found(voc, "box")
    assert not lacking(finding, "a.jpg", "image a", "dog", "box")
    assert found(voc, "tag") == []


def test_a_box_without_its_scribble_or_point(voc):
    labels = np.full((16, 20), 255)
    labels[5, 3:9] = 2
    voc.mask("a", labels, "Scribbles")
    (voc.root / "points.json").write_text(json.dumps({"a": [{"x": 4, "y": 9, "cls": 0}]}))
    assert not lacking(found(voc, "box")[0], "image a", "dog", "box")
    assert not lacking(found(voc, "scribble")[0], "image a", "cat", "scribble")
    assert not lacking(found(voc, "point")[0], "image a", "cat, dog", "point")


def test_validation_images_need_nothing(voc):
    (voc.root / "Annotations" / "b.xml").unlink()
    assert found(voc, "box") == []


def test_mixed_labels_may_be_any_but_not_none(bare):
    (finding,) = found(bare, "mixed")
    assert not lacking(finding, "a.jpg", "training image a", "boxes, scribbles, points, tags, true masks")
    (bare.root / "points.json").write_text(json.dumps({"a": [{"x": 4, "y": 9, "cls": 2}]}))
    assert found(bare, "mixed") == []


def test_truth_is_learned_from_only_where_a_list_says_so(bare):
    bare.mask("a", np.full((16, 20), 2))
    assert import_voc("toy", bare.root).records["a"].kinds == []
    bare.list("masks", "a", "b")
    index = import_voc("toy", bare.root, truth_list="masks")
    assert index.records["a"].kinds == ["truth"] and index.records["a"].tags == [2] and missing(index, "mixed") == []
    assert index.records["b"].truth_sha256 == "", "validation images are for scores only"
    assert index.with_weak("box").records["a"].truth_sha256 == "" and index.with_weak("mixed").records["a"].truth_sha256


def test_a_list_of_true_masks_without_them(bare):
    (bare.root / "SegmentationClass" / "a.png").unlink()
    bare.list("masks", "a")
    for name, words in (
        ("masks", ["a.jpg: ", "SegmentationClass/a.png"]),
        ("ghost", ["ghost.txt", "masks, train, val"]),
    ):
        with raises(DatasetError, *words):
            import_voc("toy", bare.root, truth_list=name)
