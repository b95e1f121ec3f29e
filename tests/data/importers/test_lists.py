"""Lists as tools write them, and what a line may mean."""

import pytest

from tests.messages import lacking, raises
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.importers.lists import FROM_MAIN, FROM_PATHS, PER_CLASS, candidates
from wsss_stages.data.importers.voc import import_voc


def write(voc, kind, name, *lines):
    path = voc.root / "ImageSets" / kind / f"{name}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def without_lists(voc):
    for path in voc.root.glob("ImageSets/*/*"):
        path.unlink()


@pytest.mark.parametrize(
    "line",
    [
        "c.d (2)",
        "c.d (2).jpg",
        "JPEGImages/c.d (2).jpg",
        "/data/me/JPEGImages/c.d (2).JPEG",
        "C:\\data\\c.d (2).jpg",
        "  c.d (2)\t",
    ],
)
def test_a_line_is_the_photograph_that_it_names(voc, line):
    for name in ("c", "c.d", "c.d (2)"):
        voc.photo(name)
    voc.list("train", "a", line)
    assert import_voc("toy", voc.root).splits["train"] == ["a", "c.d (2)"]


@pytest.mark.parametrize("line", ["b  1", "b -1", "/JPEGImages/b.jpg /SegmentationClassAug/b.png", "b\t0"])
def test_without_such_a_photograph_the_first_word_counts(voc, line):
    (voc.root / "ImageSets" / "Segmentation" / "val.txt").unlink()
    voc.list("train", "a", line)
    assert import_voc("toy", voc.root).splits["train"] == ["a", "b"]


def test_the_whole_line_is_preferred_to_its_first_word(voc):
    """Caffe's lists of files with blanks: IMG (2) is not IMG."""
    voc.photo("IMG")
    voc.photo("IMG (2)")
    voc.list("train", "a", "IMG (2)")
    assert import_voc("toy", voc.root).splits["train"] == ["a", "IMG (2)"]


def test_paths_are_noted_and_ids_are_not(voc):
    voc.list("train", "a.jpg")
    assert import_voc("toy", voc.root).notes[FROM_PATHS].names == ["a.jpg"]
    voc.list("train", "a 1")
    assert FROM_PATHS not in import_voc("toy", voc.root).notes


def test_candidates_in_order():
    assert list(candidates("x/a b.jpg c.png")) == ["x/a b.jpg c.png", "a b.jpg c", "x/a b.jpg", "a b", "x/a", "a"]


def test_lists_of_main_where_segmentation_has_none(voc):
    without_lists(voc)
    write(voc, "Main", "train", "a")
    write(voc, "Main", "val", "b")
    index = import_voc("toy", voc.root)
    assert index.splits == {"train": ["a"], "val": ["b"]} and index.notes[FROM_MAIN.format("Segmentation")].count == 1


def test_mains_are_not_looked_at_beside_segmentations(voc):
    write(voc, "Main", "val", "a")
    assert import_voc("toy", voc.root).splits == {"train": ["a"], "val": ["b"]}


def test_lists_of_single_classes_are_taken_together(voc):
    without_lists(voc)
    voc.photo("c (2)")
    write(voc, "Main", "cat_train", "a  1", "c (2) -1")
    write(voc, "Main", "dog_train", "a -1", "c (2)  0")
    write(voc, "Main", "cat_val", "b  1")
    index = import_voc("toy", voc.root)
    assert index.splits == {"train": ["a", "c (2)"], "val": ["b"]}
    assert index.notes[PER_CLASS].names == ["cat_train.txt", "dog_train.txt", "cat_val.txt"]


def test_ids_in_both_lists_are_one_finding_that_lists_them(voc):
    voc.photo("c")
    voc.list("train", "a", "b", "c")
    voc.list("val", "b", "c")
    with pytest.raises(DatasetError) as caught:
        import_voc("toy", voc.root)
    (found,) = caught.value.findings
    assert not lacking(str(found), "val.txt", "2 ids", "train.txt", "b, c")


def test_two_lines_that_mean_one_photograph_are_a_repetition(voc):
    voc.list("train", "a", "a.jpg")
    with raises(DatasetError, "train.txt", "id a", "2 times"):
        import_voc("toy", voc.root)


@pytest.mark.parametrize("line", ["\u00a0", "\u3000x", "…"])
def test_lines_of_strange_blanks_do_not_crash(voc, line):
    voc.list("train", "a", line)
    with raises(DatasetError, "train.txt", "id", "JPEGImages"):
        import_voc("toy", voc.root)
