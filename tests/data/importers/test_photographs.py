"""Photographs of any format, by id; what else lies in the folder is named."""

import numpy as np
import pytest
from PIL import Image

from tests.messages import only, raises
from wsss_stages.data import images
from wsss_stages.data.few_shot.supports import photographs as photographs_to_predict
from wsss_stages.data.images import FORMATS, FRAMES, STRETCHED, SUFFIXES, available, open_photo, read_photo
from wsss_stages.data.importers import photographs
from wsss_stages.data.importers.photographs import FOLDERS, HIDDEN, OTHERS, image_id, unused
from wsss_stages.data.importers.voc import import_voc
from wsss_stages.data.notes import Notes

NO_PHOTOGRAPHS = set(
    "BLP BUFR CUR DCX EPS FITS FLI FTEX GBR GRIB HDF5 IM IPTC MPEG MSP PCD PIXAR WMF XBM XPM PDF".split()
)
"""Formats of Pillow's that are games', icons', films' or data, or are drawn by another program."""


def test_every_suffix_that_pillow_reads_is_a_photographs():
    Image.init()
    read = {suffix for suffix, name in Image.registered_extensions().items() if name in Image.OPEN}
    others = {suffix for suffix, name in Image.registered_extensions().items() if name in NO_PHOTOGRAPHS}
    assert read - others <= set(SUFFIXES) and not others & set(SUFFIXES)


@pytest.mark.parametrize("name", [".jfif", ".JPG", ".gif", ".avif", ".webp", ".bmp", ".ppm", ".tga", ".jp2", ".png"])
def test_photographs_of_every_format_come_in(tmp_path, name):
    Image.new("RGB", (20, 16), "red").save(tmp_path / f"a{name}", FORMAT_OF.get(name.lower()))
    found, unread = photographs.photographs(tmp_path, [], Notes())
    assert found == {"a": f"a{name}"} and unread == {} and read_photo(tmp_path / f"a{name}").shape == (16, 20, 3)


FORMAT_OF = {suffix: name for suffix, name in SUFFIXES.items()}


def test_what_is_no_photograph_is_named(tmp_path):
    for name in ("._a.jpg", ".DS_Store", "Thumbs.db", "readme.txt", "film.mp4"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "more").mkdir()
    Image.new("RGB", (20, 16)).save(tmp_path / "a.jpg")
    notes = Notes()
    found, unread = photographs.photographs(tmp_path, [], notes)
    assert found == {"a": "a.jpg"} and set(unread) == {"readme", "film"}
    assert {text: (n.count, n.names) for text, n in notes.items()} == {
        HIDDEN: (3, [".DS_Store", "._a.jpg", "Thumbs.db"]),
        OTHERS: (2, ["film.mp4", "readme.txt"]),
        FOLDERS: (1, ["more"]),
    }


def test_a_format_without_its_plugin_is_named_with_the_remedy(voc, monkeypatch):
    monkeypatch.setattr(photographs, "available", lambda: ("JPEG",))
    (voc.root / "JPEGImages" / "c.HEIC").write_bytes(b"x")
    notes = import_voc("toy", voc.root).notes
    note = notes[only(notes, "HEIF", "pip install pillow-heif")]
    assert note.count == 1 and note.names == ["c.HEIC"]


def test_a_listed_photograph_of_such_a_format_is_a_finding_with_the_remedy(voc, monkeypatch):
    monkeypatch.setattr(photographs, "available", lambda: ("JPEG",))
    (voc.root / "JPEGImages" / "c.HEIC").write_bytes(b"x")
    voc.list("train", "a", "c")
    with raises(ValueError, "train.txt", "id c", "c.HEIC", "pillow-heif"):
        import_voc("toy", voc.root)


def test_heic_is_read_where_its_plugin_is(tmp_path):
    heif = pytest.importorskip("pillow_heif", reason="the extra `heif` is not installed")
    heif.from_pillow(Image.new("RGB", (64, 48), "red")).save(tmp_path / "a.heic")
    assert "HEIF" in available() and read_photo(tmp_path / "a.heic").shape == (48, 64, 3)


def test_names_in_two_normal_forms_are_one_id(voc):
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    voc.photo(decomposed)
    voc.boxes(composed, ("dog", 2, 3, 10, 12))
    voc.mask(decomposed, np.ones((16, 20)))
    voc.list("train", "a", composed)
    record = import_voc("toy", voc.root).records[composed]
    assert record.photo == f"JPEGImages/{decomposed}.jpg" and record.tags == [2] and record.truth
    assert image_id(decomposed) == composed


def test_two_photographs_of_one_id_are_a_finding(voc):
    voc.photo("caf\u00e9")
    voc.photo("cafe\u0301")
    with raises(ValueError, "caf\u00e9", "second", "cafe\u0301.jpg"):
        import_voc("toy", voc.root)


def test_photographs_and_notes_add_up_to_the_folder(voc):
    """The folder has two photographs in lists, one in none, one that is hidden, one of another format, and a folder."""
    voc.photo("c")
    (voc.root / "JPEGImages" / "._a.jpg").write_bytes(b"x")
    (voc.root / "JPEGImages" / "a.txt").write_bytes(b"x")
    (voc.root / "JPEGImages" / "raw").mkdir()
    index = import_voc("toy", voc.root)
    left = [HIDDEN, OTHERS, FOLDERS, only(index.notes, "photographs", "no list")]
    assert len(index.records) + sum(index.notes[text].count for text in left) == 6


def test_labels_of_no_photograph_are_named(voc):
    voc.boxes("ghost", ("cat", 2, 3, 10, 12))
    voc.mask("b", np.ones((16, 20)))
    (voc.root / "SegmentationClass" / "b.bmp").write_bytes(b"x")
    (voc.root / "points.json").write_text('{"gone": [{"x": 1, "y": 1, "cls": 1}]}')
    (voc.root / "tags.csv").write_text("id,class\na,cat\nb,cat\nlost,dog\n")
    notes = import_voc("toy", voc.root).notes
    assert notes[only(notes, "annotations", "no photograph")].names == ["ghost.xml"]
    assert notes[only(notes, "points", "no photograph")].names == ["gone"]
    assert notes[only(notes, "tags", "no photograph")].names == ["lost"]
    assert notes[only(notes, "files", "SegmentationClass", ".png")].names == ["b.bmp"]


def test_unused_passes_over_hidden_files(tmp_path):
    (tmp_path / "._a.xml").write_bytes(b"x")
    notes = Notes()
    unused(tmp_path, (".xml",), {}, "annotations", notes)
    assert not notes


@pytest.mark.parametrize(
    "values, expected, stretched",
    [
        (np.uint16([[1104, 1616, 2128]]), [0, 128, 255], True),
        (np.uint16([[0, 255]]), [0, 255], False),
        (np.uint16([[0, 0x8001]]), [0, 0x80], False),
        (np.uint16([[0, 4095]]), [0, 255], True),
        (np.float32([[0, 0.5, 1]]), [0, 128, 255], False),
        (np.float32([[0, 127.5, 255]]), [0, 128, 255], True),
        (np.float32([[-3, np.nan, 3]]), [0, 128, 255], True),
        (np.int32([[100_000, 200_000]]), [0, 255], True),
        (np.float32([[7, 7]]), [0, 0], True),
    ],
)
def test_more_than_8_bits_by_their_own_range(tmp_path, values, expected, stretched):
    Image.fromarray(values).save(tmp_path / "a.tif")
    photo = open_photo(tmp_path / "a.tif")
    assert photo.pixels[0, :, 0].tolist() == expected and photo.notes == [STRETCHED] * stretched


def test_of_several_frames_the_first_is_read_and_noted(tmp_path):
    frames = [Image.new("RGB", (20, 16), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    photo = open_photo(tmp_path / "a.gif")
    assert photo.pixels[0, 0].tolist() == [255, 0, 0] and photo.notes == [FRAMES]


def test_a_phones_mpo_and_a_printers_cmyk_are_read(tmp_path):
    frames = [Image.new("RGB", (20, 16), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=frames[1:])
    Image.new("CMYK", (20, 16), (0, 255, 255, 0)).save(tmp_path / "b.jpeg")
    assert open_photo(tmp_path / "a.jpg").notes == [FRAMES]
    for name in ("a.jpg", "b.jpeg"):
        assert read_photo(tmp_path / name)[8, 8].tolist() == pytest.approx([255, 0, 0], abs=3)


def test_a_damaged_second_frame_does_not_matter(tmp_path):
    frames = [Image.new("RGB", (20, 16), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    whole = (tmp_path / "a.gif").read_bytes()
    (tmp_path / "a.gif").write_bytes(whole[: -len(whole) // 4])
    assert read_photo(tmp_path / "a.gif")[0, 0].tolist() == [255, 0, 0]


def test_prediction_takes_the_same_photographs(tmp_path):
    for name in ("a.jfif", "b.JPG", "._c.jpg", "d.txt"):
        Image.new("RGB", (20, 16)).save(tmp_path / name, "JPEG")
    assert [path.name for path in photographs_to_predict(tmp_path)] == ["a.jfif", "b.JPG"]


def test_orientation_beyond_8_is_none(tmp_path):
    exif = Image.Exif()
    exif[images.ORIENTATION] = 99
    Image.new("RGB", (20, 16)).save(tmp_path / "a.jpg", exif=exif)
    assert open_photo(tmp_path / "a.jpg").orientation == 1


def test_every_format_has_a_suffix():
    assert set(SUFFIXES.values()) == set(FORMATS)
