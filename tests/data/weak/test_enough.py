"""What a run needs of the training images' weak labels."""

import json

import numpy as np
import pytest

from wsss_stages.data.findings import DatasetError
from wsss_stages.data.importers.voc import import_voc
from wsss_stages.data.weak.enough import missing


def found(voc, weak):
    return [str(finding) for finding in missing(import_voc("toy", voc.root), weak)]


@pytest.fixture
def bare(voc):
    """Its training image has no weak label."""
    (voc.root / "Annotations" / "a.xml").unlink()
    return voc


@pytest.mark.parametrize(
    "weak, what", [("box", "boxes"), ("scribble", "scribbles"), ("point", "points"), ("tag", "tags")]
)
def test_images_without_the_kind_are_named(bare, weak, what):
    (finding,) = found(bare, weak)
    assert f"a.jpg: found no {what} for training image a; wanted {what} for every training image" in finding


def test_what_there_is_instead_is_told(voc):
    assert "no points for training image a, which has boxes" in found(voc, "point")[0]


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
    assert f"{voc.root}: found no class in the labels of 1 training images; wanted a class in at least one" in finding


def test_a_list_of_background_alone_is_refused(voc):
    (voc.root / "classes.txt").write_text("background\n")
    for name in "ab":
        voc.boxes(name)
        (voc.root / "SegmentationClass" / f"{name}.png").unlink()
    (finding,) = found(voc, "box")
    assert "found no class but background; wanted background and at least one class more" in finding


def test_boxes_too_small_to_learn_from_are_refused(voc):
    voc.boxes("a", ("cat", 2, 3, 10, 5), ("dog", 2, 3, 3, 12))
    (finding,) = found(voc, "box")
    assert (
        "boxes whose shorter sides have at most 3 pixels, in 1 training images; wanted a box of at least 4" in finding
    )
    assert "data.max_side" in finding
    voc.boxes("a", ("cat", 2, 3, 10, 5), ("dog", 2, 3, 5, 12))
    assert found(voc, "box") == []


def test_a_tag_without_its_box(voc):
    (voc.root / "tags.csv").write_text("id,class\na,cat\na,dog\nb,cat\n")
    (finding,) = found(voc, "box")
    assert "image a with dog but without a box of it; wanted a box for every class" in finding
    assert found(voc, "tag") == []


def test_a_box_without_its_scribble_or_point(voc):
    labels = np.full((16, 20), 255)
    labels[5, 3:9] = 2
    voc.mask("a", labels, "Scribbles")
    (voc.root / "points.json").write_text(json.dumps({"a": [{"x": 4, "y": 9, "cls": 0}]}))
    assert "image a with dog but without a box of it" in found(voc, "box")[0]
    assert "image a with cat but without a scribble of it" in found(voc, "scribble")[0]
    assert "image a with cat, dog but without a point of it" in found(voc, "point")[0]


def test_validation_images_need_nothing(voc):
    (voc.root / "Annotations" / "b.xml").unlink()
    assert found(voc, "box") == []


def test_mixed_labels_may_be_any_but_not_none(bare):
    (finding,) = found(bare, "mixed")
    assert "no label for training image a; wanted any of boxes, scribbles, points, tags, true masks" in finding
    (bare.root / "points.json").write_text(json.dumps({"a": [{"x": 4, "y": 9, "cls": 2}]}))
    assert found(bare, "mixed") == []


def test_truth_is_learned_from_only_where_a_list_says_so(bare):
    bare.mask("a", np.full((16, 20), 2))
    assert import_voc("toy", bare.root).records["a"].kinds == []
    bare.list("masks", "a", "b")
    index = import_voc("toy", bare.root, truth_list="masks")
    assert index.records["a"].kinds == ["truth"] and index.records["a"].tags == [2] and missing(index, "mixed") == []
    assert index.records["b"].truth_sha256 == "", "validation images are for scores only"
    assert index.only("box").records["a"].truth_sha256 == "" and index.only("mixed").records["a"].truth_sha256


def test_a_list_of_true_masks_without_them(bare):
    (bare.root / "SegmentationClass" / "a.png").unlink()
    bare.list("masks", "a")
    for name, message in (("masks", "no true mask to learn from"), ("ghost", "no such list")):
        with pytest.raises(DatasetError, match=message):
            import_voc("toy", bare.root, truth_list=name)
