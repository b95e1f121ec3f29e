"""The PASCAL Context importer on a made folder in its layout: classes, truth without background, weak labels, refusals."""

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from tests import miniatures
from tests.messages import only, raises
from tests.miniatures import context as miniature
from tests.miniatures.pictures import picture
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.images import read_labels
from wsss_stages.data.importers.context import CLASSES, import_context
from wsss_stages.data.weak.completeness import missing
from wsss_stages.stages import data as stage
from wsss_stages.stages import simulate_weak

SKY, GRASS, TABLE = CLASSES.index("sky"), CLASSES.index("grass"), CLASSES.index("table")


class ContextFolder:
    """VOC2010 with two images, `a` to train on and `b` to validate; half sky, a quarter grass, the rest without a class."""

    def __init__(self, root):
        self.root = root
        labels = np.zeros((24, 32), np.uint8)
        labels[:12], labels[12:, :16] = SKY, GRASS
        for image_id, split in (("a", "train"), ("b", "val")):
            self.save("JPEGImages", f"{image_id}.jpg", np.full((24, 32, 3), 90, np.uint8))
            self.save("SegmentationClassContext", f"{image_id}.png", labels)
            self.list(split, image_id)
        box = "<bndbox><xmin>2</xmin><ymin>3</ymin><xmax>9</xmax><ymax>9</ymax></bndbox>"
        self.write("Annotations/a.xml", f"<annotation><object><name>diningtable</name>{box}</object></annotation>")

    def save(self, folder, name, array):
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        Image.fromarray(array).save(self.root / folder / name)

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def list(self, split, *ids):
        self.write(f"ImageSets/SegmentationContext/{split}.txt", "".join(f"{i}\n" for i in ids))

    def scribble(self, name, folder="Context"):
        points = "<point><X>2</X><Y>4</Y></point><point><X>30</X><Y>4</Y></point>"
        polygon = f"<polygon><tag>{name}</tag>{points}</polygon>"
        self.write(f"{folder}/Scribbles/a.xml", f"<annotation>{polygon}</annotation>")

    def read(self, **options):
        return import_context("context", self.root, "train", "val", self.root.parent / "truth", **options)


@pytest.fixture
def context(tmp_path):
    return ContextFolder(tmp_path / "VOC2010")


def test_there_are_59_classes_in_the_order_of_their_letters():
    assert len(CLASSES) == 60 and CLASSES[0] == "background" and CLASSES[1:] == sorted(set(CLASSES[1:]))


def test_truth_has_no_background_and_the_dataset_is_only_read(context):
    before = {p: p.stat().st_mtime_ns for p in context.root.rglob("*")}
    index = context.read()
    assert {p: p.stat().st_mtime_ns for p in context.root.rglob("*")} == before
    assert index.splits == {"train": ["a"], "val": ["b"]} and index.classes == CLASSES
    for record in index.records.values():
        truth = record.truth_labels(index.root)
        assert np.unique(truth).tolist() == sorted({SKY, GRASS, 255})
        assert (truth[12:, 16:] == 255).all() and (truth[:12] == SKY).all()
        assert record.boxes == record.tags == [], "VOC's boxes are of other classes"
    original = read_labels(context.root / "SegmentationClassContext" / "a.png")
    assert (original[12:, 16:] == 0).all()


@pytest.mark.parametrize("folder", ["Context", "elsewhere"])
def test_scribbles_are_read_from_either_folder(context, folder):
    context.scribble("sky", folder)
    index = context.read(weak_root=context.root / folder if folder == "elsewhere" else None)
    record = index.records["a"]
    assert record.kinds == ["scribble"] and record.tags == [SKY] and record.scribble_classes == [SKY]
    assert (index.scribble_labels(record)[3, 5:25] == SKY).all()


def test_drawn_scribbles_make_a_run(context, tmp_path):
    argv = ["--root", context.root, "--index", tmp_path / "index.json", "--kind", "context"]
    stage.main([str(a) for a in argv])
    weak = tmp_path / "weak"
    simulate_weak.main(["--index", str(tmp_path / "index.json"), "--out", str(weak), "--kinds", "[scribble]"])
    stage.main([*(str(a) for a in argv), "--weak-labels", str(weak)])
    index = context.read(weak_root=weak)
    assert index.records["a"].tags == sorted((SKY, GRASS)) and not missing(index, "scribble")
    assert 0 not in np.unique(index.scribble_labels(index.records["a"]))


def test_names_of_another_list_are_reported(context):
    context.scribble("diningtable")
    with raises(DatasetError, "a.xml", "'diningtable'", "background, aeroplane") as caught:
        context.read()
    assert len(caught.value.findings) == 1
    context.write("classes.txt", "\n".join("diningtable" if name == "table" else name for name in CLASSES))
    assert context.read().records["a"].tags == [TABLE]


def test_masks_with_more_classes_and_missing_lists_are_reported(context):
    context.save("SegmentationClassContext", "a.png", np.full((24, 32), 60, np.uint8))
    with raises(DatasetError, "a.png", "[60]", "0..59", "255"):
        context.read()
    assert not (context.root.parent / "truth").exists()
    (context.root / "ImageSets/SegmentationContext/train.txt").unlink()
    with raises(DatasetError, "SegmentationContext/train.txt", "one of val"):
        context.read()


def test_options_of_other_layouts_are_refused(context, tmp_path):
    argv = ["--root", context.root, "--index", tmp_path / "index.json", "--kind", "context", "--truth-list", "train"]
    with raises(ValueError, "data.truth_list", "data.saliency", "context"):
        stage.main([str(a) for a in argv])


@pytest.fixture
def published(tmp_path):
    return miniatures.write("context", tmp_path / "data")


def read_published(root, **options):
    return import_context("context", root, "train", "val", root.parent / "truth", **options)


def refused(root):
    with pytest.raises(DatasetError) as caught:
        read_published(root)
    assert not (root.parent / "truth").exists()
    return [str(finding) for finding in caught.value.findings]


@pytest.mark.parametrize("place", ["", miniature.DEVKIT])
def test_published_numbers_become_the_59_classes_by_their_names(published, place):
    root = published / place
    index = read_published(root)
    assert {split: len(ids) for split, ids in index.splits.items()} == {"train": 8, "val": 4}
    of = {number: cls for cls, number in enumerate(miniature.NUMBERS, 1)}
    for image_id, name in {**miniature.TRAIN, **miniature.VAL}.items():
        numbers = miniature.label_map(picture(image_id, [CLASSES.index(name)]))
        labels = read_labels(index.root / index.records[image_id].truth)
        for y, x in np.ndindex(*numbers.shape):
            assert labels[y, x] == of.get(int(numbers[y, x]), 255)
    assert {int(v) for v in np.unique(labels)} == {SKY, GRASS, CLASSES.index("boat"), 255}
    drawn = {path.name: len(list(path.iterdir())) for path in (root.parent / "truth").iterdir()}
    assert drawn == {"SegmentationClass": 12, "SegmentationClassContext": 0}


def test_the_published_scribbles_are_read(published):
    index = read_published(published, weak_root=published / miniature.DEVKIT / "scribble_annotation")
    assert not missing(index, "scribble")
    assert index.records["2008_000002"].scribble_classes == sorted([SKY, GRASS, CLASSES.index("tvmonitor")])


def test_a_png_counts_before_the_published_numbers(published):
    root = published / miniature.DEVKIT
    one = picture("2008_000002", [CLASSES.index("tvmonitor")])
    (root / "SegmentationClassContext").mkdir()
    Image.fromarray(np.full(one.size, TABLE, np.uint8)).save(root / "SegmentationClassContext" / "2008_000002.png")
    index = read_published(published)
    assert (read_labels(index.root / index.records["2008_000002"].truth) == TABLE).all()


def test_blanks_and_the_spelling_of_the_59_do_not_count(published):
    path = published / miniature.DEVKIT / "labels.txt"
    before = read_published(published)
    text = path.read_text()
    assert "397: table" in text
    path.write_text(text.replace("397: table", "397: dining table").replace(": cloth\n", ":clothes \n"))
    after = read_published(published)
    assert [r.masks_sha256 for r in before.records.values()] == [r.masks_sha256 for r in after.records.values()]


def test_labels_of_the_59_in_place_of_the_459_are_refused(published):
    root = published / miniature.DEVKIT
    lines = [line for line in (root / "labels.txt").read_text().splitlines() if not line.endswith(": sky")]
    (root / "labels.txt").write_text("\n".join(lines))
    assert only(refused(published), "labels.txt", "sky", "459", "59_labels.txt")
    (root / "labels.txt").write_text("sky\n")
    assert only(refused(published), "labels.txt", "'sky'", "NUMBER: NAME")
    (root / "labels.txt").unlink()
    assert only(refused(published), "labels.txt", "file")


def test_published_files_that_are_cut_off_or_of_another_photograph_are_findings(published):
    mats = published / miniature.DEVKIT / "trainval"
    content = (mats / "2008_000002.mat").read_bytes()
    (mats / "2008_000002.mat").write_bytes(content[: len(content) // 2])
    savemat(mats / "2008_000003.mat", {"LabelMap": np.ones((3, 4), np.uint16)})
    savemat(mats / "2008_000007.mat", {"LabelMap": np.full((3, 4), 460, np.uint16)})
    savemat(mats / "2008_000008.mat", {"Labels": np.ones((3, 4), np.uint16)})
    texts = refused(published)
    assert only(texts, "2008_000002.mat", "LabelMap") and only(texts, "2008_000003.mat", "4x3 pixels")
    assert only(texts, "2008_000007.mat", "460", "labels.txt") and only(texts, "2008_000008.mat", "variable LabelMap")
