"""Damaged documents at every door of the importers: a finding or an index that stages can read, never another exception.

A few hundred examples, the same ones every time. Others, for so many seconds a door, whose number is printed:
    WSSS_FUZZ_SECONDS=40 pytest -s tests/data/test_fuzz.py -k coco
What it found is kept in test_found_by_fuzzing.py.
"""

import contextlib
import copy
import io
import json
import os
import shutil
import struct
import sys
import time
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from wsss_stages.data import images, instances
from wsss_stages.data.few_shot.supports import read_supports
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.importers import coco_annotations, coco_lists, coco_photos
from wsss_stages.data.importers.coco import import_coco
from wsss_stages.data.importers.voc import import_voc
from wsss_stages.data.index import Index
from wsss_stages.data.names import id_problem
from wsss_stages.data.notes import Note
from wsss_stages.store import artifacts

pytestmark = pytest.mark.slow

SECONDS = float(os.environ.get("WSSS_FUZZ_SECONDS", "0"))
NUMBERS = [b"-1", b"0", b"1e999", b"NaN", b"1_0", b"99999999999999999999", b"1.5", b"", b"\xd9\xa3"]
NAMES = [
    b"../a",
    b"/etc/passwd",
    b"..",
    b"a\x00",
    b"a\\b",
    b"\xe2\x80\xa8",
    b"\xc2\xa0",
    b"a/b",
    b"\xff",
    b"cow",
    b"<b>",
]
MARKUP = [
    b"<!DOCTYPE a [<!ENTITY e 'x'>]>",
    b"&e;",
    b"<a>" * 80,
    b"</object>",
    b"]]>",
    b"<?xml version='1.0' encoding='x'?>",
]
SIGNS = [b'"', b",", b"\r", b"\n", b"\t", b"[" * 2000, b"{", b"}", b":", b"'"]
BYTES = [
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x00\x00\x00\x00",
    b"\x00\x10",
    b"IDAT",
    b"\xff\xd8",
    b"\xff\xda",
    b"II*\x00",
]
PICKLE = [
    b"cposix\nsystem\n",
    b"\x8c\x05posix",
    b"R",
    b"b",
    b"o",
    b"\x93",
    b"(",
    b"t",
    b"l",
    b"a",
    b"s",
    b"N",
    b"O8",
    b"\x8e",
]
VALUES = [
    None, True, -1, 0, 10**30, 10**400, 1.5, float("inf"), float("nan"), "", "1", "../a", "/etc/passwd", "a\0", "\ud800", "a\u2028b",
    [], {}, [[]], [1, 2], [None] * 4, ["1"] * 4, {"id": 1},
]  # fmt: skip


def xml(name, *texts):
    return f"<annotation><{name}>{''.join(texts)}</{name}></annotation>".encode()


BOXES = xml("object", "<name>cat</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>9</xmax><ymax>12</ymax></bndbox>")
LINES = xml("polygon", "<tag>dog</tag>", "<point><X>3</X><Y>5</Y></point><point><X>9.5</X><Y>5</Y></point>")
POINTS = {"a": [{"x": 3.5, "y": 2, "cls": 1}, {"x": 0, "y": 0, "cls": 0}], "b": [{"x": 5, "y": 5, "cls": 2}]}
RUNS = {"size": [16, 20], "counts": [20, 200, 100]}
COCO = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 20, "height": 16}],
    "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 3, 8, 9], "iscrowd": 0, "segmentation": [[2, 3, 10, 3, 10, 12]]},
        {"id": 2, "image_id": 1, "category_id": 2, "bbox": [0, 0, 20, 16], "iscrowd": 0, "segmentation": RUNS},
    ],
}  # fmt: skip


def picture(mode, kind, **options):
    made = io.BytesIO()
    values = np.random.default_rng(0).integers(0, 3, (16, 20, 3), dtype=np.uint8)
    image = Image.fromarray(values[..., 0] if mode in ("L", "P", "1") else values)
    image.convert(mode).save(made, kind, **options)
    return made.getvalue()


def numbers(labels):
    made = io.BytesIO()
    np.save(made, labels, allow_pickle=True)
    return made.getvalue()


EXIF = Image.Exif()
EXIF[0x0112] = 6
MASKS = [picture("L", "PNG"), picture("P", "PNG"), picture("1", "PNG")]
PHOTOS = [
    *MASKS, picture("RGB", "JPEG"), picture("CMYK", "JPEG"), picture("RGB", "JPEG", exif=EXIF, progressive=True),
    picture("RGBA", "PNG"), picture("RGB", "TIFF", compression="tiff_lzw"), picture("RGB", "TIFF"), picture("RGB", "WEBP"),
    picture("RGB", "BMP"),
]  # fmt: skip
VECTORS = {"a": np.array([1.0, 0.0]), 2007: np.array([0, 1], np.uint8), "b": [0, 1]}
DOORS = {
    "boxes": ("Annotations/a.xml", [BOXES], MARKUP + NUMBERS + NAMES),
    "polylines": ("Scribbles/a.xml", [LINES], MARKUP + NUMBERS + NAMES),
    "points": ("points.json", [json.dumps(POINTS).encode()], NUMBERS + NAMES + SIGNS),
    "background points": ("background_points.json", [json.dumps({"a": POINTS["a"][1:]}).encode()], NUMBERS + SIGNS),
    "tags": ("tags.csv", [b"id,class\na,dog\na,cat\nb,\n"], NAMES + SIGNS),
    "npy": ("cls_labels.npy", [numbers(VECTORS)], PICKLE + BYTES),
    "list": ("ImageSets/Segmentation/train.txt", [b"a\n", b"a -1\r\n"], NAMES + SIGNS),
    "classes": ("classes.txt", [b"background\ncat\ndog\n"], NAMES + SIGNS),
    "photograph": ("JPEGImages/a.jpg", PHOTOS, BYTES),
    "mask": ("SegmentationClass/a.png", MASKS, BYTES),
    "scribbles": ("Scribbles/a.png", MASKS, BYTES),
    "saliency": ("Saliency/a.png", MASKS, BYTES),
}


@st.composite
def spoiled(draw, valid, words):
    """A valid document in which a few stretches are other bytes; of a PNG with right checksums, or nobody would look further."""
    content = bytearray(draw(st.sampled_from(valid)))
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(content)))
        end = begin + draw(st.sampled_from([0, 1, 2, 4, 20, 10_000]))
        content[begin:end] = draw(st.one_of(st.binary(max_size=6), st.sampled_from(words)))
    return checked(bytes(content)) if draw(st.booleans()) else bytes(content)


def checked(png):
    """Return a PNG with the right checksum of every chunk that is whole."""
    if png[:4] != b"\x89PNG":
        return png
    parts, at = [png[:8]], 8
    while at + 12 <= len(png):
        length = min(struct.unpack(">I", png[at : at + 4])[0], len(png) - at - 12)
        body = png[at + 4 : at + 8 + length]
        parts.append(png[at : at + 4] + body + struct.pack(">I", zlib.crc32(body)))
        at += 12 + length
    return b"".join(parts)


@st.composite
def tree(draw, valid):
    """A valid JSON in which a few values are other ones, or gone."""
    content = json.loads(json.dumps(valid))
    for _ in range(draw(st.integers(1, 3))):
        node, key = {"": content}, ""
        while isinstance(node[key], dict | list) and node[key] and draw(st.integers(0, 5)):
            node = node[key]
            key = draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if draw(st.integers(0, 4)) or node is content:
            node[key] = copy.deepcopy(draw(st.sampled_from(VALUES)))
            content = node[""] if isinstance(node, dict) and list(node) == [""] else content
        else:
            del node[key]
    return content


def usable(index, folder):
    """Check that stages can read an index: boxes lie inside their images, and the index survives being written."""
    index.write(folder / "index.json")
    assert Index.read(folder / "index.json") == index
    for record in index.records.values():
        assert id_problem(record.id) is None
        height, width = record.image(index.root).shape[:2]
        assert all(0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height for x0, y0, x1, y1 in record.boxes)
        assert all(0 <= x < width and 0 <= y < height for x, y, _ in record.points)
        shown = {*record.tags, *record.box_classes, *record.scribble_classes, *(c for _, _, c in record.points)}
        assert shown <= set(range(len(index.classes)))
        for labels in (record.truth_labels(index.root), index.scribble_labels(record), index.saliency(record)):
            assert labels is None or labels.shape == (height, width)


def fuzz(request, documents, check):
    """Let a door's check see its documents."""

    def run(**options):
        @settings(database=None, deadline=None, suppress_health_check=list(HealthCheck), **options)
        @given(documents)
        def comes_in_or_is_refused(content):
            nonlocal seen
            seen += 1
            check(content)

        comes_in_or_is_refused()

    seen, end = 0, time.monotonic() + SECONDS
    if not SECONDS:
        run(max_examples=30, derandomize=True)
        assert seen > 10
    while time.monotonic() < end:
        run(max_examples=50)
    if SECONDS:
        sys.stdout.write(f"\n{request.node.name}: {seen} documents in {SECONDS + time.monotonic() - end:.0f} s\n")


@pytest.fixture
def small(monkeypatch):
    """A lower limit, under which damaged headers cost no time."""
    monkeypatch.setattr(images, "MAX_PIXELS", 1 << 20)


@pytest.mark.parametrize("door", DOORS)
def test_a_folder_in_voc_layout(request, door, voc, small, tmp_path):
    name, valid, words = DOORS[door]
    path = voc.root / name
    path.parent.mkdir(exist_ok=True)
    saliency = path.parent if door == "saliency" else None

    documents = spoiled(valid, words) | (
        tree(json.loads(valid[0])).map(as_json) if name.endswith("json") else st.nothing()
    )

    def check(content):
        path.write_bytes(content)
        with contextlib.suppress(DatasetError):
            usable(import_voc("toy", voc.root, saliency=saliency, workers=1), tmp_path)

    fuzz(request, documents, check)


def as_json(content):
    return json.dumps(content).encode()


def adds_up(index, root, annotations):
    """Photographs are indexed or left out and counted, and so are annotations."""
    counts = index.notes.counts
    photos = [path for path in root.rglob("*") if path.suffix.lower() in images.SUFFIXES]
    assert len(photos) == len(index.records) + counts.get(coco_photos.UNLISTED, 0)
    without_box = ("CROWD", "TINY", "BACKGROUND", "TWICE")
    boxes = sum(len(record.boxes) for record in index.records.values())
    assert annotations == boxes + sum(counts.get(getattr(coco_annotations, name), 0) for name in without_box)


def test_a_coco_folder(request, voc, small, tmp_path):
    (voc.root / "annotations").mkdir()
    (voc.root / "JPEGImages").rename(voc.root / "train")

    documents = tree(COCO).map(as_json) | spoiled([as_json(COCO)], NUMBERS + NAMES + SIGNS)

    def check(content):
        (voc.root / "annotations" / "instances_train.json").write_bytes(content)
        with contextlib.suppress(DatasetError):
            index = import_coco("toy", voc.root, "train", "val", tmp_path / "truth", workers=1)
            usable(index, tmp_path)
            adds_up(index, voc.root, len(json.loads(content)["annotations"]))

    fuzz(request, documents, check)
    made = {p.parent.name for p in tmp_path.rglob("*.png") if voc.root not in p.parents}
    assert made <= {"SegmentationClass", "SegmentationObject"}


LISTS = [
    "annotations/instances_train.json",
    "annotations/instances_default.json",
    "train/_annotations.coco.json",
    "result.json",
]
SAVED = ["train/{}.jpg", "images/train/{}.jpg", "images/{}.jpg", "images/s/{}.jpg", "{}.jpg", "train/t/{}.png"]
WRITTEN = ["{0}", "{1}", "images/{0}", "images\\{0}", "/home/x/{1}", "C:\\x\\{0}", "../{0}", "{1}.bak"]
MASKED = [[], [[]], [[2, 3, 10, 3, 10, 12, 2, 12]], [[2, 3], [2, 3, 10, 3, 10, 12]], [[2, 3, 10, 3, 10]], RUNS]


@st.composite
def exported(draw):
    """Files of photographs, and lists as different tools may write them of these: (names, {path: content})."""
    pick = lambda *values: draw(st.sampled_from(values))  # noqa: E731
    photos = {
        pick(*SAVED).format(pick("a", "b", "\xe9", "e\u0301")): pick((20, 16), (40, 32), (16, 20))
        for _ in range(pick(1, 2, 4))
    }
    lists = {}
    for path in {pick(*LISTS) for _ in range(pick(1, 1, 2))}:
        ids = pick([0, 1, 2, 3], ["0", "1", "2", "3"], ["x", 1, 2.0, "3"], [1, "1", 2, 3])
        entries = [
            {"id": number, "file_name": pick(*WRITTEN).format(name.rpartition("/")[2], name)} | pick({"width": 20, "height": 16}, {}, {"width": 0, "height": 0})
            for number, name in zip(ids, photos, strict=False)
        ]  # fmt: skip
        annotations = [
            {"image_id": pick(*ids[: len(entries)]), "category_id": pick(0, "1", 2), "segmentation": pick(*MASKED), "iscrowd": pick(0, 0, "0", "1")}
            | pick({}, {"bbox": [2, 3, 8, 9]}, {"bbox": [2, 3, 8, 9], "score": 1})
            for _ in range(pick(0, 1, 3, 300))
        ]  # fmt: skip
        categories = [
            {"id": 0, "name": pick("background", "thing")},
            {"id": pick(1, "1"), "name": "cat"},
            {"id": 2, "name": "dog"},
        ]
        lists[path] = {"images": entries, "annotations": annotations, "categories": categories}
    return photos, lists


def test_coco_folders_of_every_tool(request, small, tmp_path):
    root, taken = tmp_path / "coco", []

    def check(folder):
        photos, lists = folder
        shutil.rmtree(root, ignore_errors=True)
        for name, size in photos.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", size, (len(name), 0, size[0])).save(root / name)
        for path, content in lists.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(json.dumps(content))
        with contextlib.suppress(DatasetError):
            index = import_coco("toy", root, "train", "val", tmp_path / "truth", workers=1)
            usable(index, tmp_path)
            unread = index.notes.get(coco_lists.UNREAD, Note()).names
            adds_up(
                index, root, sum(len(content["annotations"]) for path, content in lists.items() if path not in unread)
            )
            taken.append(index)

    fuzz(request, exported(), check)
    assert taken


def test_instances(request, voc):
    index = import_voc("toy", voc.root)
    content = json.loads(json.dumps(COCO))
    content["images"][0]["file_name"] = "JPEGImages/a.jpg"
    content["annotations"][0]["segmentation"] = RUNS
    assert len(instances.by_photo(content, index, "here")["JPEGImages/a.jpg"].masks()) == 2

    documents = tree(content)

    def check(content):
        with contextlib.suppress(artifacts.ContractError):
            for objects in instances.by_photo(content, index, "here").values():
                assert not objects.codes or objects.masks().shape[1:] == (16, 20)

    fuzz(request, documents, check)


@pytest.mark.parametrize("name, valid", [("a.jpg", PHOTOS), ("masks/a.png", MASKS)])
def test_supports(request, name, valid, tmp_path, small):
    (tmp_path / "masks").mkdir()
    (tmp_path / "a.jpg").write_bytes(picture("RGB", "JPEG"))
    (tmp_path / "masks" / "a.png").write_bytes(MASKS[0])
    assert len(read_supports(tmp_path)) == 1

    documents = spoiled(valid, BYTES)

    def check(content):
        (tmp_path / name).write_bytes(content)
        with contextlib.suppress(DatasetError):
            for support in read_supports(tmp_path):
                assert support.photo.shape[:2] == support.mask.shape

    fuzz(request, documents, check)
