"""The formats of weak labels, and labels that contradict each other."""

import json
import pickle

import numpy as np
import pytest

from tests.messages import lacking, only
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.importers.voc import import_voc
from wsss_stages.data.importers.voc_boxes import NO_SIZE
from wsss_stages.data.index import Index
from wsss_stages.data.weak.polylines import DOTS, OUTSIDE
from wsss_stages.store import artifacts


def findings(voc, **options):
    with pytest.raises(DatasetError) as caught:
        import_voc("toy", voc.root, **options)
    return [str(finding) for finding in caught.value.findings]


def xml_scribbles(voc, image_id, *lines):
    """`lines`: (class, (x, y), ...) with VOC's pixels, counted from 1."""
    polygons = "".join(
        f"<polygon><tag>{name}</tag>"
        + "".join(f"<point><X>{x}</X><Y>{y}</Y></point>" for x, y in points)
        + "</polygon>"
        for name, *points in lines
    )
    path = voc.root / "Scribbles" / f"{image_id}.xml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"<annotation>{polygons}</annotation>")
    return path


def points(voc, content, name="points.json"):
    (voc.root / name).write_text(json.dumps(content))


@pytest.fixture
def bare(voc):
    """The training image `a` without boxes."""
    (voc.root / "Annotations" / "a.xml").unlink()
    return voc


def test_scribblesups_lines_are_drawn_three_pixels_wide(bare, tmp_path):
    xml_scribbles(bare, "a", ("cat", (3, 5), (11, 5)), ("background", (15, 10), (15, 14)))
    index = import_voc("toy", bare.root)
    record = index.records["a"]
    expected = np.full((16, 20), 255, np.uint8)
    expected[3:6, 2:11] = expected[4, [1, 11]] = 1
    expected[9:14, 13:16] = expected[[8, 14], 14] = 0
    found = index.scribble_labels(record)
    assert record.tags == [1] and record.scribbles == "Scribbles/a.xml" and not {*index.notes} - {NO_SIZE}
    np.testing.assert_array_equal(found, expected)
    index.write(tmp_path / "index.json")
    np.testing.assert_array_equal(Index.read(tmp_path / "index.json").scribble_labels(record), found)


def test_scribble_points_outside_are_left_out_and_dots_kept_both_counted(bare):
    xml_scribbles(bare, "a", ("cat", (3, 5), (21, 5), (0, 3)), ("dog", (10, 10), (12, 10)))
    index = import_voc("toy", bare.root)
    assert {text: n for text, n in index.notes.counts.items() if text != NO_SIZE} == {OUTSIDE: 2, DOTS: 1}
    assert index.scribble_labels(index.records["a"])[4, 2] == 1


@pytest.mark.parametrize(
    "lines, words",
    [
        ([("cat", (30, 5), (40, 5))], ["cat", "1 <= X <= 20"]),
        ([("cow", (3, 5), (4, 5))], ["'cow'", "background, cat, dog"]),
        ([("cat", ("x", 5))], ["points", "'x'"]),
    ],
)
def test_bad_scribbles(bare, lines, words):
    xml_scribbles(bare, "a", *lines)
    assert only(findings(bare), "a.xml", "scribble 1", *words)


def test_scribbles_as_png_and_a_changed_one_is_seen(bare):
    labels = np.full((16, 20), 255)
    labels[4:6, 3:9] = 2
    bare.mask("a", labels, "Scribbles")
    first = import_voc("toy", bare.root)
    np.testing.assert_array_equal(first.scribble_labels(first.records["a"]), labels)
    labels[4, 3] = 255
    bare.mask("a", labels, "Scribbles")
    second = import_voc("toy", bare.root)
    assert first.records["a"].evidence() != second.records["a"].evidence()


def test_two_files_of_scribbles(bare):
    bare.mask("a", np.full((16, 20), 255), "Scribbles")
    xml_scribbles(bare, "a", ("cat", (3, 5), (4, 5)))
    assert only(findings(bare), "a.xml: ", "a.png", "one file")


def test_clicks_are_pixels_and_background_clicks_come_from_their_own_file(bare):
    points(bare, {"a": [{"x": 3.9, "y": 5.2, "cls": 2, "rank": 1}]})
    points(bare, {"a": [{"x": 19.5, "y": 0.0, "cls": 0}]}, "background_points.json")
    record = import_voc("toy", bare.root).records["a"]
    assert record.points == [[3, 5, 2], [19, 0, 0]] and record.tags == [2]


@pytest.mark.parametrize(
    "point", [{"x": 20, "y": 3, "cls": 1}, {"x": 3, "y": -1, "cls": 1}, {"x": 3, "y": 3, "cls": 3}, {"x": 3, "y": 3}]
)
def test_bad_clicks(bare, point):
    points(bare, {"a": [point]})
    assert not lacking(findings(bare)[0], "points.json", str(point), "0 <= x < 20", "0 <= y < 16", "0..2")


def test_tags_from_csv(bare):
    (bare.root / "tags.csv").write_text("id,class\na,dog\na,cat\nb,cat\nc,\n")
    index = import_voc("toy", bare.root)
    assert index.records["a"].tags == [1, 2]


@pytest.mark.parametrize(
    "text, words",
    [
        ("image,tag\na,dog\n", ["header", "['image', 'tag'] ... id,class"]),
        ("id,class\na,cow\n", ["line 2", "'a,cow' ... cat, dog"]),
        ("id,class\n,cat\n", ["line 2", "',cat'"]),
    ],
)
def test_bad_csv(bare, text, words):
    (bare.root / "tags.csv").write_text(text)
    assert only(findings(bare), "tags.csv", *words)


def npy(voc, content):
    np.save(voc.root / "cls_labels.npy", content, allow_pickle=True)


def test_tags_from_cls_labels(bare):
    bare.photo("2007_000032")
    bare.list("train", "2007_000032")
    npy(bare, {2007000032: np.array([0.0, 1.0]), 2007000033: np.array([1.0, 0.0])})
    assert import_voc("toy", bare.root).records["2007_000032"].tags == [2]


def test_cls_labels_of_other_classes(bare):
    npy(bare, {1: np.zeros(20)})
    assert only(findings(bare), "cls_labels.npy", "[(20,)] ... 2", "classes.txt")


class Evil:
    def __reduce__(self):
        return print, ("pwned",)


def test_a_pickle_that_would_run_a_program_is_refused(bare, capsys):
    npy(bare, {1: Evil()})
    assert only(findings(bare), "cls_labels.npy", "builtins.print") and "pwned" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"no array", pickle.dumps({1: 2})])
def test_a_file_that_is_no_array(bare, content):
    (bare.root / "cls_labels.npy").write_bytes(content)
    assert only(findings(bare), "cls_labels.npy", "{id: vector}")


def test_two_files_of_tags(bare):
    (bare.root / "tags.csv").write_text("id,class\na,cat\n")
    npy(bare, {1: np.zeros(2)})
    assert only(findings(bare), "cls_labels.npy: ", "tags.csv", "one file")


def test_a_box_without_its_tag(voc):
    (voc.root / "tags.csv").write_text("id,class\na,dog\n")
    assert not lacking(findings(voc)[0], "image a", "cat", "tags")


def test_a_point_on_a_scribble_of_another_class(voc):
    labels = np.full((16, 20), 255)
    labels[5, 3:9] = 1
    voc.mask("a", labels, "Scribbles")
    points(voc, {"a": [{"x": 4, "y": 5, "cls": 2}]})
    assert not lacking(findings(voc)[0], "point of dog", "4, 5", "scribble of cat")


def test_weak_labels_of_another_folder(voc, tmp_path):
    other = tmp_path / "labels"
    (other / "Scribbles").mkdir(parents=True)
    labels = np.full((16, 20), 255)
    labels[5, 3:9] = 1
    path = voc.mask("a", labels, "Scribbles").rename(other / "Scribbles" / "a.png")
    index = import_voc("toy", voc.root, weak_root=other)
    record = index.records["a"]
    assert record.boxes == [] and record.scribbles == str(path) and record.scribbles_sha256 == artifacts.sha256(path)
    assert (index.scribble_labels(record) == labels).all()


def test_weak_labels_of_a_folder_that_is_not_there(voc, tmp_path):
    assert not lacking(findings(voc, weak_root=tmp_path / "nowhere")[0], f"{tmp_path / 'nowhere'}: ", "weak labels")
