"""The importer: what it understands, and every refusal with file, found, wanted and remedy."""

import numpy as np
import pytest
from PIL import Image

from tests.messages import lacking, raises
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.images import read_photo
from wsss_stages.data.importers.voc import VOC_CLASSES, import_voc
from wsss_stages.stages import data as stage


def findings(voc):
    with pytest.raises(DatasetError) as caught:
        import_voc("toy", voc.root)
    return [str(finding) for finding in caught.value.findings]


def only_finding(voc):
    (found,) = findings(voc)
    return found


def test_boxes_become_zero_based_and_half_open(voc):
    index = import_voc("toy", voc.root)
    record = index.records["a"]
    assert record.boxes == [[1, 2, 10, 12]] and record.box_classes == [1] and record.tags == [1]
    assert index.classes == ["background", "cat", "dog"] and index.splits == {"train": ["a"], "val": ["b"]}
    assert (record.height, record.width, record.truth) == (16, 20, "SegmentationClass/a.png")


def test_float_coordinates_are_rounded(voc):
    voc.boxes("a", ("cat", 1.6, 2.2, 9.7, 11.9))
    assert import_voc("toy", voc.root).records["a"].boxes == [[1, 1, 10, 12]]


def test_without_classes_txt_the_classes_are_vocs(voc):
    (voc.root / "classes.txt").unlink()
    assert import_voc("toy", voc.root).classes == VOC_CLASSES


def test_without_truth_and_lists_every_image_is_for_training(voc):
    for path in [*voc.root.glob("Seg*/*"), *voc.root.glob("ImageSets/*/*")]:
        path.unlink()
    (voc.root / "ImageSets" / "Segmentation").rmdir()
    index = import_voc("toy", voc.root)
    assert index.splits == {"train": ["a", "b"], "val": []} and index.records["a"].truth is None


def test_images_without_boxes_are_imported_for_other_kinds_of_labels(voc):
    (voc.root / "Annotations" / "a.xml").unlink()
    record = import_voc("toy", voc.root).records["a"]
    assert record.boxes == [] and record.kinds == [] and import_voc("toy", voc.root).records["b"].kinds == ["box"]


@pytest.mark.parametrize(
    "name, box, words",
    [
        ("cat", (5, 5, 25, 10), ["outside", "1 <= x <= 20"]),
        ("cat", (-1, 5, 9, 10), ["outside", "1 <= x <= 20"]),
        ("cat", (9, 5, 3, 10), ["inverted"]),
        ("cat", (5, 5, 5, 10), ["without area"]),
        ("cat", ("nan", 5, 9, 10), ["finite"]),
        ("cat", ("left", 5, 9, 10), ["left", "four numbers"]),
        ("cow", (2, 3, 9, 10), ["'cow'", "cat, dog"]),
    ],
)
def test_bad_boxes(voc, name, box, words):
    voc.boxes("a", ("dog", 2, 2, 5, 5), (name, *box))
    assert not lacking(only_finding(voc), "a.xml", "object 2", *words)


def test_broken_xml(voc):
    (voc.root / "Annotations" / "a.xml").write_text("<annotation><object>")
    assert not lacking(only_finding(voc), "a.xml", "XML (")


def test_truncated_and_empty_photographs(voc):
    path = voc.photo("a", (64, 64))
    path.write_bytes(path.read_bytes()[:400])
    (voc.root / "JPEGImages" / "b.jpg").write_bytes(b"")
    found = findings(voc)
    assert not lacking(found[0], "a.jpg", "damaged", "400 bytes") and not lacking(found[1], "b.jpg", "zero bytes")


def test_truncated_png_mask(voc):
    path = voc.mask("a", np.random.default_rng(0).integers(0, 2, (16, 20)))
    path.write_bytes(path.read_bytes()[:-30])
    assert not lacking(only_finding(voc), "SegmentationClass/a.png", "damaged")


def test_decompression_bomb(voc, monkeypatch):
    monkeypatch.setattr("wsss_stages.data.images.MAX_PIXELS", 100)
    assert "decompression bomb" in findings(voc)[0]


def test_text_that_claims_to_be_a_photograph(voc):
    (voc.root / "JPEGImages" / "a.jpg").write_text("not found")
    assert not lacking(only_finding(voc), "a.jpg", "formats JPEG, ")


@pytest.mark.parametrize(
    "labels, mode, words",
    [
        (np.zeros((8, 9)), "L", ["9x8 ... 20x16"]),
        (np.full((16, 20), 7), "L", ["[7] ... 0..2", "255"]),
        (np.full((16, 20), 7), "RGB", ["1 colours", "#070707", "classes.txt"]),
    ],
)
def test_bad_masks(voc, labels, mode, words):
    voc.mask("a", labels, mode=mode)
    assert not lacking(only_finding(voc), "SegmentationClass/a.png", *words)


def test_lists_with_unknown_and_repeated_ids(voc):
    voc.list("train", "a", "a", "ghost")
    found = findings(voc)
    assert not lacking(found[1], "train.txt", "id a", "2 times")
    assert not lacking(found[0], "train.txt", "id ghost", "JPEGImages/ghost.jpg")


def test_a_validation_image_may_not_be_trained_on(voc):
    voc.list("val", "a", "b")
    assert not lacking(only_finding(voc), "val.txt: ", "1 ids", "train.txt", "a")


def test_duplicate_ids(voc):
    voc.photo("a", suffix=".png")
    assert not lacking(only_finding(voc), "a.png: ", "id a", "second", "a.jpg")


def test_a_missing_list_tells_which_there_are(voc):
    with raises(DatasetError, "trainaug.txt", "train, val"):
        import_voc("toy", voc.root, train_list="trainaug")


def test_no_voc_folder(tmp_path):
    with raises(DatasetError, f"{tmp_path}: ", "JPEGImages"):
        import_voc("toy", tmp_path)


def test_all_findings_come_together_and_nothing_is_written(voc, tmp_path):
    voc.mask("b", np.zeros((8, 9)))
    voc.boxes("a", ("cow", 1, 1, 3, 3))
    before = {p: p.read_bytes() for p in voc.root.rglob("*") if p.is_file()}
    with raises(DatasetError, "2 finding", "SegmentationClass/b.png", "a.xml"):
        stage.main(["--root", str(voc.root), "--index", str(tmp_path / "out" / "index.json")])
    assert not (tmp_path / "out").exists()
    assert {p: p.read_bytes() for p in voc.root.rglob("*") if p.is_file()} == before


def test_limit_takes_a_sample_that_grows_without_changing(voc):
    for image_id in "cdefgh":
        voc.photo(image_id)
        voc.boxes(image_id, ("dog", 1, 1, 5, 5))
    voc.list("train", *"acdefgh")
    three, five = (import_voc("toy", voc.root, limit=n).splits["train"] for n in (3, 5))
    assert len(three) == 3 and len(five) == 5 and set(three) < set(five)


@pytest.mark.parametrize(
    "mode, suffix", [("L", ".png"), ("CMYK", ".jpg"), ("RGBA", ".png"), ("P", ".png"), ("1", ".png")]
)
def test_every_mode_becomes_rgb(voc, mode, suffix):
    photo = read_photo(voc.photo("x", suffix=suffix, mode=mode))
    assert photo.shape == (16, 20, 3) and photo.dtype == np.uint8


def test_16_bit_grey_keeps_its_high_byte(tmp_path):
    Image.fromarray(np.full((4, 5), 0x8001, np.uint16)).save(tmp_path / "x.png")
    assert (read_photo(tmp_path / "x.png") == 0x80).all()


def test_exif_rotation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((10, 30, 3), np.uint8)).save(tmp_path / "x.jpg", exif=exif)
    assert read_photo(tmp_path / "x.jpg").shape == (30, 10, 3)
