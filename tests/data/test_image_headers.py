"""Headers of images, which are looked at before the pixels are."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tests.messages import lacking, raises
from wsss_stages.data import images
from wsss_stages.data.few_shot.supports import read_supports
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.images import ImageError, label_size, read_grey, read_labels, read_photo
from wsss_stages.data.importers.voc import import_voc


@pytest.fixture
def undecoded(monkeypatch):
    """Decoding PNGs fails the test; JPEGs may be decoded."""

    def load(self):
        raise AssertionError("decoded")

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", load)


def only_finding(voc, **options):
    with pytest.raises(DatasetError) as caught:
        import_voc("toy", voc.root, **options)
    (found,) = caught.value.findings
    return str(found)


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width, height, body=b""):
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("read", [read_photo, read_labels, read_grey, label_size])
@pytest.mark.parametrize("side", [14_000, 20_000, 2**31 - 1])
def test_a_bomb_is_known_by_its_header(tmp_path, undecoded, read, side):
    (tmp_path / "a.png").write_bytes(png(side, side))
    with raises(ImageError, "decompression bomb") as caught:
        read(tmp_path / "a.png")
    assert not lacking("".join(caught.value.__notes__), str(tmp_path / "a.png"))


def test_a_text_that_grows_is_a_bomb_too(tmp_path):
    (tmp_path / "a.png").write_bytes(png(4, 4, chunk(b"zTXt", b"x\0\0" + zlib.compress(b"0" * (1 << 26)))))
    with raises(ImageError, "damaged", str((tmp_path / "a.png").stat().st_size)):
        read_photo(tmp_path / "a.png")


@pytest.mark.parametrize("folder", ["SegmentationClass", "SegmentationObject", "Scribbles"])
def test_a_mask_of_another_size_is_not_decoded(voc, undecoded, folder):
    for path in voc.root.glob("Seg*/*"):
        path.unlink()
    (voc.root / folder).mkdir(exist_ok=True)
    (voc.root / folder / "a.png").write_bytes(png(9000, 9000))
    found = only_finding(voc)
    assert not lacking(found, f"{folder}/a.png", "9000x9000 ... 20x16")


def test_nor_is_a_saliency_map(voc, undecoded):
    for path in voc.root.glob("Seg*/*"):
        path.unlink()
    (voc.root / "Saliency").mkdir()
    (voc.root / "Saliency" / "a.png").write_bytes(png(9000, 9000))
    assert not lacking(only_finding(voc, saliency=voc.root / "Saliency"), "Saliency/a.png", "9000x9000 ... 20x16")


def test_nor_is_the_mask_of_a_support(tmp_path, undecoded):
    (tmp_path / "masks").mkdir()
    Image.new("RGB", (20, 16)).save(tmp_path / "a.jpg")
    (tmp_path / "masks" / "a.png").write_bytes(png(9000, 9000))
    with raises(DatasetError, "masks/a.png", "9000x9000 ... 20x16"):
        read_supports(tmp_path)


def test_a_mask_in_jpeg_is_refused_whatever_its_name(voc):
    """JPEG would change the numbers that were drawn."""
    Image.fromarray(np.zeros((16, 20), np.uint8)).save(voc.root / "SegmentationClass" / "a.png", "JPEG")
    found = only_finding(voc)
    assert not lacking(found, "SegmentationClass/a.png", "formats PNG", "palette")


@pytest.mark.parametrize("format", ["EPS", "PDF"])
def test_photographs_of_other_formats_are_refused(voc, format):
    Image.new("RGB", (20, 16)).save(voc.root / "JPEGImages" / "a.jpg", format)
    assert not lacking(only_finding(voc), "a.jpg", "formats JPEG, ")


@pytest.mark.parametrize("format", ["PNG", "GIF", "PPM", "TGA", "AVIF", "JPEG2000"])
def test_a_photograph_may_have_another_of_the_formats(voc, format):
    Image.new("RGB", (20, 16)).save(voc.root / "JPEGImages" / "a.jpg", format)
    assert import_voc("toy", voc.root).records["a"].width == 20


@pytest.mark.parametrize("suffix, options", [(".jpg", {}), (".png", {}), (".tif", {}), (".webp", {}), (".bmp", {})])
def test_every_cut_of_a_file_is_refused_or_whole(tmp_path, suffix, options):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (16, 20, 3), dtype=np.uint8)).save(path, **options)
    whole, content = read_photo(path), path.read_bytes()
    cuts, refused = range(0, len(content), max(1, len(content) // 60)), 0
    for cut in cuts:
        path.write_bytes(content[:cut])
        try:
            np.testing.assert_array_equal(read_photo(path), whole)
        except ImageError:
            refused += 1
    assert refused >= len(cuts) - 2


def test_the_limit_is_of_pixels(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "MAX_PIXELS", 320)
    Image.new("L", (20, 16)).save(tmp_path / "a.png")
    assert read_grey(tmp_path / "a.png").shape == (16, 20)
    monkeypatch.setattr(images, "MAX_PIXELS", 319)
    with raises(ImageError, "20x16 pixels", "decompression bomb"):
        read_grey(tmp_path / "a.png")
