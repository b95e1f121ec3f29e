"""The description of a dataset, and the kind of label that a run takes."""

import pytest

from tests.messages import lacking, raises
from wsss_stages.data import description
from wsss_stages.data.description import Contents
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.index import Index, Record


def record(name: str, *kinds: str, truth=None) -> Record:
    """Return an image of class 1 with the labels of some kinds."""
    box = {"boxes": [[0, 0, 20, 20]] * 2, "box_classes": [1, 1]} if "box" in kinds else {}
    points = {"points": [[1, 1, 1]]} if "point" in kinds else {}
    scribbles = {"scribble_classes": [1]} if "scribble" in kinds else {}
    return Record(
        name,
        "a.jpg",
        "",
        30,
        40,
        30,
        40,
        tags=[1] * bool(kinds),
        kinds=list(kinds),
        truth=truth,
        **box,
        **points,
        **scribbles,
    )


def index(tmp_path, *records: Record, val=()) -> Index:
    splits = {"train": [r.id for r in records], "val": [r.id for r in val]}
    return Index("made", tmp_path, ["background", "cat", "dog"], splits, {r.id: r for r in (*records, *val)})


def test_lines_count_images_labels_boxes_and_truth(tmp_path):
    made = index(
        tmp_path, record("a", "box"), record("b", "box", "point", truth="b.png"), val=[record("c", truth="c.png")]
    )
    made.notes.add("files left out", 1, "x.gif")
    lines = description.lines(made, Contents.of(made))
    assert lines == [
        "photographs  2 to learn from, 1 to validate on",
        "labels       boxes on 2, points on 1",
        "classes      cat (2 images, 4 boxes), dog (0 images)",
        "true masks   1 of 2 in train, 1 of 1 in val",
        "noted        files left out: 1 (x.gif)",
    ]


def test_long_lists_are_cut():
    assert description.cut(map(str, range(20)), "classes")[-2:] == ["11", "and 8 more classes"]
    assert len(description.cut(map(str, range(12)), "classes")) == 12


@pytest.mark.parametrize(
    ("records", "weak", "why"),
    [
        ([("box",), ("box",)], "box", ["every", "boxes"]),
        ([("point",), ("point",)], "point", ["every", "points"]),
        ([("tag",), ("tag",)], "tag", ["every", "tags"]),
        ([("box",), ("box", "scribble")], "box", ["every", "boxes", "1", "scribbles", "mixed"]),
        ([("box",), ("point",)], "mixed", ["1 have boxes", "1 have points"]),
    ],
)
def test_the_only_kind_on_every_image_is_taken(tmp_path, records, weak, why):
    made = index(tmp_path, *(record(str(n), *kinds) for n, kinds in enumerate(records)))
    chosen, words = description.choose_weak(made, Contents.of(made))
    assert chosen == weak and not lacking(words, *why)


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([("box", "scribble")], ["boxes and scribbles", "--weak box", "--weak scribble", "--weak mixed"]),
        ([("box",), ()], ["no boxes for training image 1"]),
        ([("box",), ("point",), ()], ["no label for training image 2"]),
        ([()], ["no label for training image 0"]),
    ],
)
def test_what_is_ambiguous_or_missing_is_asked_for(tmp_path, records, words):
    made = index(tmp_path, *(record(str(n), *kinds) for n, kinds in enumerate(records)))
    with raises(DatasetError, *words):
        description.choose_weak(made, Contents.of(made))
