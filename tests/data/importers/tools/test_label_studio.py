"""Label Studio's JSON: regions, choices, annotations of a task, addresses of photographs, and what is wrong with them."""

import numpy as np
import pytest

from tests.data.importers.tools.conftest import labels_of
from tests.messages import only
from wsss_stages.data import brush_rle
from wsss_stages.data.importers.tools.label_studio import path_of

MASK = np.zeros((16, 20), bool)
MASK[5:8, 3:7] = True


def region(kind, value, name="cat", **more):
    size = {"original_width": 20, "original_height": 16, "image_rotation": 0}
    return {"type": kind, "from_name": "l", "to_name": "image", "value": value | {kind: [name]}, **size, **more}


def box(x=10, y=25, w=40, h=50, **more):
    return region("rectanglelabels", {"x": x, "y": y, "width": w, "height": h, "rotation": 0}, **more)


BRUSH = region("brushlabels", {"format": "rle", "rle": brush_rle.encode(MASK)}, "dog")
POLYGON = region("polygonlabels", {"points": [[10, 25], [50, 25], [50, 75], [10, 75]]})
CLICK = region("keypointlabels", {"x": 90, "y": 90, "width": 0.5})
CHOICE = {"type": "choices", "value": {"choices": ["cat"]}, "from_name": "c", "to_name": "image"}


def task(*results, image="/data/upload/3/a1b2c3d4-a.jpg", **more):
    annotation = {"id": 1, "was_cancelled": False, "result": list(results), "updated_at": "2026-01-02"}
    return {"id": 7, "data": {"image": image}, "annotations": [annotation], "predictions": [], **more}


@pytest.fixture
def studio(export):
    export.photo("a.jpg")
    return export


def test_every_kind_of_region_has_its_place(studio):
    vector = region("vectorlabels", {"vertices": [{"x": 5, "y": 95}, {"x": 50, "y": 95}], "closed": False}, "dog")
    studio.write("project-1.json", [task(BRUSH, POLYGON, CLICK, CHOICE, vector)])
    index = studio.read("label_studio")
    assert index.classes == ["background", "cat", "dog"]
    record = index.records["a"]
    assert record.boxes == [[3, 5, 7, 8], [2, 4, 10, 12]] and record.box_classes == [2, 1]
    assert record.points == [[18, 14, 1]] and record.tags == [1, 2] and record.scribble_classes == [2]
    assert record.kinds == ["box", "scribble", "point", "tag"]
    truth = labels_of(index, "a")
    assert (truth == 2).sum() == 12 and (truth == 1).sum() == 64 - 12  # the smaller one on top


def test_rectangles_are_percents_and_turn_about_their_corner(studio):
    turned = box(x=50, y=25, w=20, h=50)
    turned["value"]["rotation"] = 90
    studio.write("x.json", [task(box(), turned)])
    index = studio.read("label_studio")
    assert index.records["a"].boxes == [
        [2, 4, 10, 12],
        [2, 4, 10, 8],
    ]  # 4x8 pixels at 10, 4: to the left of it and 4 high
    assert index.notes["turned boxes, taken by their bounds"].count == 1


def test_an_ellipse_is_a_polygon_and_labels_may_stand_under_their_old_key(studio):
    oval = region("ellipselabels", {"x": 50, "y": 50, "radiusX": 25, "radiusY": 25})
    plain = {**box(), "type": "labels"}
    plain["value"] = {key: value for key, value in plain["value"].items() if key != "rectanglelabels"} | {
        "labels": ["dog"]
    }
    studio.write("x.json", [task(oval, plain)])
    index = studio.read("label_studio")
    assert index.records["a"].boxes == [[5, 4, 15, 12], [2, 4, 10, 12]] and index.records["a"].box_classes == [1, 2]


def test_the_newest_annotation_that_was_not_cancelled_counts(studio):
    one = task(box())
    one["annotations"] = [
        {"id": 1, "result": [box(w=10)], "updated_at": "2026-01-02T10"},
        {"id": 2, "result": [box()], "updated_at": "2026-01-03T10"},
        {"id": 3, "result": [box(w=20)], "updated_at": "2026-01-04T10", "was_cancelled": True},
    ]
    studio.photo("b.jpg")
    undone = task(image="b.jpg", annotations=[{"id": 9, "result": [], "was_cancelled": True}])
    studio.write("x.json", [one, undone])
    index = studio.read("label_studio")
    assert index.records["a"].boxes == [[2, 4, 10, 12]] and "b" not in index.records
    assert index.notes["tasks with several annotations, the newest that was not cancelled taken"].count == 1
    assert index.notes["tasks without an annotation, left out"].count == 1
    assert index.notes["photographs that the export does not name, left out"].names == ["b.jpg"]


def test_predictions_count_where_nobody_has_annotated(studio):
    predicted = task(annotations=[], predictions=[{"id": 3, "result": [box()], "score": 0.4}])
    studio.write("x.json", [predicted])
    index = studio.read("label_studio")
    assert (
        index.records["a"].boxes
        and index.notes["tasks of a file without annotations, their predictions taken"].count == 1
    )
    studio.photo("b.jpg")
    studio.write("x.json", [predicted, task(box(), image="b.jpg")])
    assert set(studio.read("label_studio").records) == {"b"}


def test_choices_alone_are_the_classes_and_beside_shapes_they_only_tag(studio):
    quality = {"type": "choices", "value": {"choices": ["blurred"]}}
    studio.write("x.json", [task(CHOICE, quality)])
    index = studio.read("label_studio")
    assert index.classes == ["background", "blurred", "cat"] and index.records["a"].kinds == ["tag"]
    studio.write("x.json", [task(CHOICE, quality, box())])
    index = studio.read("label_studio")
    assert index.classes == ["background", "cat"]
    assert index.notes["tags and choices that are no class of a shape, not used"].names == ["blurred"]


def test_classes_txt_gives_their_order_and_those_that_were_deleted_are_named(studio):
    studio.write("x.json", [task(box(), BRUSH)])
    studio.write("classes.txt", "dog\ncat\n")
    assert studio.read("label_studio").classes == ["background", "dog", "cat"]
    studio.write("classes.txt", "cat\n")
    studio.truth = studio.truth.parent.parent / "other" / "truth"
    only(studio.findings("label_studio"), "'dog'", "does not list")


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/data/local-files/?d=set/caf%C3%A9%20a.jpg", "set/café a.jpg"),
        ("/data/upload/3/a1b2c3d4-a.jpg", "/data/upload/3/a1b2c3d4-a.jpg"),
        ("s3://bucket/x/a.jpg", "/x/a.jpg"),
        ("https://example.org/x/a%20b.jpg?sig=1", "/x/a b.jpg"),
        ("plain a.jpg", "plain a.jpg"),
    ],
)
def test_the_path_in_an_address(address, path):
    assert path_of(address) == path


def test_a_photograph_is_found_by_its_name_with_and_without_prefix_and_by_its_size(studio):
    studio.photo("one/b.jpg")
    studio.photo("two/b.jpg", size=(40, 32))
    studio.photo("deadbeef-c.jpg")
    b = task(box(), image="/data/local-files/?d=b.jpg")
    studio.write("x.json", [task(box()), b, task(box(), image="/data/upload/1/deadbeef-c.jpg")])
    index = studio.read("label_studio")
    assert index.records["b"].photo == "one/b.jpg" and index.records["deadbeef-c"].boxes
    assert index.notes["photographs found by a name without Label Studio's prefix"].count == 1
    assert index.notes["photographs of one name, told apart by the size of the annotated image"].names == ["one/b.jpg"]
    studio.photo("two/b.jpg")
    studio.truth = studio.truth.parent.parent / "other" / "truth"
    only(studio.findings("label_studio"), "may be one/b.jpg or two/b.jpg")


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({**box(), "original_width": None, "original_height": None}, ["task 7", "region 1", "original_width"]),
        ({**box(), "original_width": 21, "original_height": 40}, ["20x16", "21x40"]),
        ({**box(), "image_rotation": 90}, ["turned in the editor"]),
        (box(x="1"), ["region 1", "x, y, width, height"]),
        (box(w=900), ["outside"]),
        (region("brushlabels", {"rle": [1, 2, 3]}), ["bytes", "20x16"]),
        (region("brushlabels", {"rle": brush_rle.encode(np.ones((4, 4), bool))}), ["64 values", "16x20x4"]),
        (region("polygonlabels", {"points": [[1, 2], [3, 4]]}), ["points", "3 or more"]),
        ({"type": "choices", "value": {"choices": "cat"}}, ["choices"]),
        ("x", ["region 1"]),
    ],
)
def test_what_is_no_region_is_a_finding(studio, result, words):
    studio.write("x.json", [task(result)])
    only(studio.findings("label_studio"), *words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([{"image": "a.jpg", "label": []}], ["Label Studio's export as JSON"]),  # JSON-MIN
        ([task(box()), 7], ["'7' for a task"]),
        ([task(box(), data={"text": "x"})], ["data", "one photograph"]),
        ([task(box(), data={"left": "a.jpg", "right": "b.jpg"})], ["one photograph"]),
        ([task(box()), task(box())], ["a second time"]),
    ],
)
def test_a_file_that_cannot_be_used_is_a_finding(studio, content, words):
    studio.write("x.json", content)
    assert any(all(word in finding for word in words) for finding in studio.findings("label_studio"))


def test_what_is_not_read_is_counted(studio):
    relation = {"type": "relation", "from_id": "1", "to_id": "2"}
    nameless = box()
    nameless["value"]["rectanglelabels"] = []
    text = {"type": "textarea", "value": {"text": ["x"]}}
    studio.write("x.json", [task(box(), relation, nameless, text)])
    notes = studio.read("label_studio").notes
    assert (
        notes["results of the type relation, not read"].count
        == notes["results of the type textarea, not read"].count
        == 1
    )
    assert notes["regions without a label, left out"].count == 1
