"""YOLO's folders: boxes, outlines, names, splits, and what is wrong with them."""

import pytest

from tests.data.importers.tools.conftest import labels_of
from tests.messages import only

BOX = "0 0.3 0.5 0.4 0.5\n"
"""On 20x16 pixels: x 2..10, y 4..12."""
OUTLINE = "1 0.1 0.25 0.5 0.25 0.5 0.75 0.1 0.75\n"
"""The same place."""


@pytest.fixture
def yolo(export):
    for split, name in (("train", "a"), ("val", "b")):
        export.photo(f"images/{split}/{name}.jpg")
    export.write("labels/train/a.txt", BOX)
    export.write("labels/val/b.txt", OUTLINE)
    export.write("data.yaml", "path: /content/x\ntrain: images/train\nval: images/val\nnames: {0: cat, 1: 犬}\n")
    return export


def test_boxes_and_outlines_are_pixels(yolo):
    index = yolo.read("yolo")
    assert index.classes == ["background", "cat", "犬"] and index.splits == {"train": ["a"], "val": ["b"]}
    a, b = index.records["a"], index.records["b"]
    assert (a.boxes, a.box_classes, a.kinds, a.truth) == ([[2, 4, 10, 12]], [1], ["box"], None)
    assert (b.boxes, b.box_classes, b.tags) == ([[2, 4, 10, 12]], [2], [2])
    truth = labels_of(index, "b")
    assert (truth[4:12, 2:10] == 2).all() and (truth == 2).sum() == 64
    assert labels_of(index, "b", "instances").max() == 1
    assert a.image(index.root).shape == (16, 20, 3)


@pytest.mark.parametrize("names", ["names: [cat, 犬]", "names: {0: cat, 1: 犬}", "nc: 2\nnames:\n- cat\n- 犬"])
def test_names_are_a_list_or_numbered(yolo, names):
    yolo.write("data.yaml", names)
    assert yolo.read("yolo").classes == ["background", "cat", "犬"]


@pytest.mark.parametrize("file", ["classes.txt", "obj.names", "labels.txt"])
def test_names_may_stand_in_a_text(yolo, file):
    (yolo.root / "data.yaml").unlink()
    yolo.write(file, "\ufeffcat\n犬\n")
    assert yolo.read("yolo").classes == ["background", "cat", "犬"]


def test_labels_lie_beside_the_photographs_and_lists_name_the_splits(export):
    """As CVAT's and Darknet's exports have them."""
    for name in "abc":
        export.photo(f"obj_train_data/{name}.jpg")
        export.write(f"obj_train_data/{name}.txt", BOX if name != "c" else "")
    export.write("obj.names", "cat\n")
    export.write("obj.data", "classes = 1\n")
    export.write("train.txt", "data/obj_train_data/a.jpg\ndata/obj_train_data/c.jpg\n")
    index = export.read("yolo")
    assert index.splits == {"train": ["a", "c"], "val": []}
    assert index.records["c"].boxes == [] and index.records["c"].kinds == ["box"]
    assert index.notes["images in no list and no subset that is used, left out"].names == ["b"]


def test_roboflow_s_folders_and_lists_of_files(export):
    for split in ("train", "valid"):
        export.photo(f"{split}/images/{split}1.jpg")
        export.write(f"{split}/labels/{split}1.txt", BOX)
    export.write("data.yaml", "train: ../train/images\nval: ../valid/images\nnames: [cat]\n")
    assert export.read("yolo").splits == {"train": ["train1"], "val": ["valid1"]}
    export.write("some.txt", "./train/images/train1.jpg\n./valid/images/valid1.jpg\n")
    export.write("data.yaml", "train: some.txt\nnames: [cat]\n")
    assert export.read("yolo").splits == {"train": ["train1", "valid1"], "val": []}
    export.write("data.yaml", "train: some.txt\nval: gone.txt\nnames: [cat]\n")
    (note,) = (note for text, note in export.read("yolo").notes.items() if "not in the export" in text)
    assert note.names == ["gone.txt"]


def test_what_is_left_out_is_counted(yolo):
    yolo.photo("images/train/new.jpg")
    yolo.write("README.txt", "made by hand")
    yolo.write("labels/train/a.txt", "0 0.3 0.5 0.4 0.5 0.87\n" + "0 0.3 0.5 0.4 0.5\n")
    notes = yolo.read("yolo").notes
    assert notes["photographs without a .txt of labels, left out"].names == ["images/train/new.jpg"]
    assert notes["text files that are no labels, not read"].names == ["README.txt"]
    assert notes["boxes with a confidence, which is not used"].count == 1
    assert notes["objects given twice, taken once"].count == 1


def test_an_outline_that_crosses_itself_is_drawn_by_the_even_odd_rule(yolo):
    yolo.write("labels/val/b.txt", "1 0.1 0.25 0.5 0.75 0.5 0.25 0.1 0.75\n")
    index = yolo.read("yolo")
    assert index.notes["polygons that cross themselves, filled by the even-odd rule"].names == ["b"]
    truth = labels_of(index, "b")
    assert truth[8, 3] == 2 and truth[8, 8] == 2 and truth[5, 6] == 0 and truth[11, 6] == 0


def test_poses_are_boxes(yolo):
    yolo.write("data.yaml", "names: [cat, dog]\nkpt_shape: [2, 3]\n")
    yolo.write("labels/val/b.txt", BOX)
    yolo.write("labels/train/a.txt", BOX.strip() + " 0.1 0.1 2 0.2 0.2 1\n")
    index = yolo.read("yolo")
    assert index.records["a"].boxes == [[2, 4, 10, 12]]
    assert index.notes["keypoints of poses, not used: the box is"].count == 1


def test_a_photograph_that_exif_turns_has_shares_of_the_upright_one(export):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    export.photo("a.jpg", size=(20, 16), exif=exif)
    export.write("a.txt", "0 0.5 0.25 1 0.5")
    export.write("classes.txt", "cat")
    assert export.read("yolo").records["a"].boxes == [[0, 0, 16, 10]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("7 0.3 0.5 0.4 0.5", ["a.txt", "line 1", "class 7", "0..1"]),
        ("0 0.3 0.5 0.4 0.5\n0 0.3 nan 0.4 0.5", ["a.txt", "line 2", "finite"]),
        ("cat 0.3 0.5 0.4 0.5", ["a.txt", "line 1", "cat"]),
        ("0 0.3 0.5", ["a.txt", "2 values"]),
        ("0 0.3 0.5 0.4 0.5 0.1 0.2 0.3", ["a.txt", "7 values"]),
        ("0 0.9 0.5 0.4 0.5", ["image images/train/a.jpg", "shape 1", "outside", "0..20"]),
        ("0 30 50 40 50", ["outside"]),
    ],
)
def test_a_line_that_is_no_object_is_a_finding(yolo, text, words):
    yolo.write("labels/train/a.txt", text)
    only(yolo.findings("yolo"), *words)


def test_labels_without_their_photographs(yolo):
    (yolo.root / "images/train/a.jpg").unlink()
    only(yolo.findings("yolo"), "labels/train/a.txt", "without a photograph")
    (yolo.root / "images/val/b.jpg").unlink()
    only(yolo.findings("yolo"), "an export without its images", "none of 2")


@pytest.mark.parametrize(
    "names", ["names: 7", "names: {0: cat, 2: dog}", "names: [[cat]]", "name: [cat]", "names: [cat"]
)
def test_without_names_nothing_is_read(yolo, names):
    yolo.write("data.yaml", names)
    assert any("names" in finding for finding in yolo.findings("yolo"))


def test_more_classes_than_8_bits_hold(yolo):
    yolo.write("data.yaml", "names: [" + ", ".join(f"c{k}" for k in range(10_000)) + "]")
    only(yolo.findings("yolo"), "10000 classes", "1 to 254")
    yolo.write("data.yaml", "names: [" + ", ".join(f"c{k}" for k in range(254)) + "]")
    assert len(yolo.read("yolo").classes) == 255
