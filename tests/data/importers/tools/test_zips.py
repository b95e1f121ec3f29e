"""Archives as tools export them: read in place, and refused as a whole where a member is nobody's export."""

import stat
import struct
import zipfile

import numpy as np
import pytest

from tests.data.importers.tools.conftest import H, W, labels_of
from tests.data.importers.tools.test_cvat import BOX, MASK, image, xml
from tests.data.importers.tools.test_yolo import OUTLINE
from tests.messages import only
from wsss_stages.data import changes
from wsss_stages.data.importers.tools import archive


@pytest.fixture
def packed(export):
    """CVAT's zip of a task with its images."""
    export.photo("images/a.jpg")
    export.write("annotations.xml", xml(image(MASK, BOX)))
    export.write("__MACOSX/._annotations.xml", b"\0")
    return export


def test_a_zip_is_the_same_as_its_folder(packed):
    folder = packed.read("cvat")
    packed.truth = packed.truth.parent.parent / "other" / "truth"
    index = packed.read("cvat", packed.zip())
    one, other = folder.records["a"], index.records["a"]
    assert one.boxes == other.boxes and one.sha256 == other.sha256 and index.splits == folder.splits
    assert (one.image(folder.root) == other.image(index.root)).all()
    assert index.root == (packed.truth / "JPEGImages").resolve() and other.photo == "a.jpg"


def test_photographs_may_lie_beside_the_zip(export):
    export.write("labels/train/a.txt", OUTLINE)
    export.write("data.yaml", "names: [dog, cat]")
    export.photo("images/train/b.jpg")
    export.write("labels/train/b.txt", OUTLINE)
    labels = export.zip("labels.zip")
    for file in [*export.root.rglob("*.txt"), export.root / "data.yaml", export.root / "images/train/b.jpg"]:
        file.unlink()
    labels.rename(export.root / "labels.zip")
    export.photo("images/train/a.jpg")
    index = export.read("yolo")
    assert index.splits["train"] == ["a", "b"] and (labels_of(index, "a") == 2).sum() == 64
    assert index.root == export.root.resolve() and index.records["b"].image(index.root).shape == (H, W, 3)
    assert (index.root / index.records["b"].photo).is_relative_to(export.truth.resolve())


def test_a_zip_in_coco_s_layout_is_read(export):
    export.photo("images/default/a.jpg")
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": W, "height": H}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 3, 8, 9], "segmentation": [], "iscrowd": 0}
        ],
    }
    export.write("annotations/instances_default.json", content)
    assert export.read("coco", export.zip(), train_list="default").records["a"].boxes == [[2, 3, 10, 12]]


@pytest.mark.parametrize("name", ["../a.jpg", "images/../../a.txt", "/etc/a.txt", "C:/a.txt", "a\\..\\b.txt"])
def test_a_name_that_leads_out_is_refused_and_nothing_is_written(packed, name):
    path = packed.zip()
    with zipfile.ZipFile(path, "a") as opened:
        info = zipfile.ZipInfo("x")
        info.filename = name
        opened.writestr(info, "x")
    only(packed.findings("cvat", path), "leads out of the archive", "export.zip")
    assert sorted(p.name for p in packed.root.parent.iterdir()) == ["export", "export.zip"]


def test_links_passwords_and_names_given_twice_are_refused(packed):
    path = packed.zip()
    content = path.read_bytes()
    with zipfile.ZipFile(path, "a") as opened:
        link = zipfile.ZipInfo("images/b.jpg")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(link, "/etc/passwd")
    only(packed.findings("cvat", path), "images/b.jpg", "a link")
    path.write_bytes(content)
    with zipfile.ZipFile(path, "a") as opened, pytest.warns(UserWarning, match="Duplicate"):
        opened.writestr("annotations.xml", "x")
    only(packed.findings("cvat", path), "annotations.xml", "twice")
    made = bytearray(content)
    at = made.rindex(b"PK\1\2")
    struct.pack_into("<H", made, at + 8, 1)  # the flag of encryption, in the directory
    path.write_bytes(made)
    only(packed.findings("cvat", path), "the encrypted member", "password")


def test_bombs_are_refused(packed, monkeypatch):
    monkeypatch.setattr(archive, "FREE", 100_000)
    packed.write("bomb.txt", b"0" * 5_000_000)
    only(packed.findings("cvat", packed.zip()), "bomb.txt", "unpacks to 5000000", "200")
    monkeypatch.setattr(archive, "FREE", 1 << 30)
    monkeypatch.setattr(archive, "MOST_BYTES", 1_000_000)
    only(packed.findings("cvat", packed.zip()), "members", "1000000")


def test_a_damaged_zip_is_a_finding(packed):
    content = packed.zip().read_bytes()
    for cut in (b"", b"PK", content[: len(content) // 2]):
        packed.write("../cut.zip", cut)
        only(packed.findings("cvat", packed.root.parent / "cut.zip"), "cut.zip", "no zip archive")


def test_flipped_bytes_in_a_zip_are_findings_or_an_index(packed):
    content = packed.zip().read_bytes()
    rng = np.random.default_rng(0)
    seen = set()
    for number in range(25):
        spoilt = bytearray(content)
        spoilt[int(rng.integers(len(spoilt)))] ^= 1 << int(rng.integers(8))
        path = packed.write(f"../spoilt{number}.zip", bytes(spoilt))
        packed.truth = packed.root.parent / f"results{number}" / "truth"
        try:
            packed.read("cvat", path)
            seen.add("read")
        except ValueError as error:
            assert type(error).__name__ == "DatasetError", repr(error)
            seen.add("refused")
    assert seen == {"read", "refused"}


def test_a_changed_zip_has_another_listing(packed):
    path = packed.zip()
    changes.listing.cache_clear()
    before = changes.listing(path)
    changes.listing.cache_clear()
    path.write_bytes(path.read_bytes() + b" ")
    assert changes.listing(path) != before


def test_a_photograph_that_is_none_is_a_finding_and_nothing_is_written(packed):
    packed.write("images/a.jpg", b"none")
    only(packed.findings("cvat", packed.zip()), "export.zip/images/a.jpg", "no image")
