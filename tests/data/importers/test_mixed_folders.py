"""Folders mixed of all that people bring: no other exception than DatasetError, and nothing is lost on the way.

Photographs in the index, findings and notes of what was left out add up to what lies in JPEGImages; boxes likewise.
"""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.messages import lacking
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.importers.masks import VOC_COLOURS
from wsss_stages.data.importers.photographs import FOLDERS, HIDDEN, OTHERS, image_id
from wsss_stages.data.importers.voc import import_voc
from wsss_stages.data.importers.voc_boxes import TWICE

pytestmark = pytest.mark.slow

STEMS = ["a", "b", "IMG", "IMG (2)", "x.y", "caf\u00e9", "cafe\u0301", "犬", "7"]
SUFFIXES = [".jpg", ".JPG", ".jfif", ".png", ".gif", ".webp", ".tif"]
OTHER_FILES = ["._a.jpg", ".DS_Store", "Thumbs.db", "notes.txt", "film.mp4", "a.xcf"]
LEFT_OUT = [HIDDEN, OTHERS, FOLDERS]
W, H = 40, 30

LINES = ["{0}", "{0}{1}", "JPEGImages/{0}{1}", "{0} 1", "C:\\d\\{0}{1}"]


def mostly(good, *bad):
    """Draw one of the good values, and one time in sixty one of the bad ones."""
    return st.sampled_from([*good] * (59 * len(bad) // len(good) + 1) + [*bad])


photographs = st.lists(
    st.fixed_dictionaries(
        {
            "stem": st.sampled_from(STEMS),
            "suffix": st.sampled_from(SUFFIXES),
            "orientation": st.sampled_from([1, 1, 3, 6, 8]),
            "list": st.sampled_from(["train", "train", "train", "val", None]),
            "line": st.sampled_from(LINES),
            "size": mostly(["none", "same", "stored", "half"], "other"),
            "mask": mostly(["none", "index", "rgb"], "white", "strange", "small"),
            "objects": st.none()
            | st.lists(
                st.tuples(
                    mostly(["cat", "cat", "dog"], "cow"),
                    mostly(["bndbox", "bndbox", "polygon", "part", "twice"], "pose"),
                    mostly([0, 1, 5, 12], -3),
                    st.sampled_from([14, 20, 28]),
                ),
                max_size=3,
            ),
        }
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda photo: image_id(photo["stem"]),
)


def element(kind, start, end):
    """The shape of an object from `start` to `end` in both directions, and how many boxes it is."""
    box = f"<bndbox><xmin>{start}</xmin><ymin>{start}</ymin><xmax>{end}</xmax><ymax>{end}</ymax></bndbox>"
    corners = "".join(
        f"<x{k}>{x}</x{k}><y{k}>{y}</y{k}>" for k, (x, y) in enumerate([(start, start), (end, start), (end, end)], 1)
    )
    return {
        "bndbox": box,
        "twice": box * 2,
        "polygon": f"<polygon>{corners}</polygon>",
        "part": f"<part><name>head</name>{box}</part>",
        "pose": "<pose>Left</pose>",
    }[kind]


def size_of(kind, orientation):
    stored, upright = (W, H), (H, W) if orientation >= 5 else (W, H)
    size = {"same": upright, "stored": stored, "half": (upright[0] // 2, upright[1] // 2), "other": (99, 7)}.get(kind)
    return f"<size><width>{size[0]}</width><height>{size[1]}</height></size>" if size else ""


def mask(kind, height, width):
    labels = np.zeros((height, width), np.uint8)
    labels[4:9, 4:9] = 1
    return {
        "index": labels,
        "white": labels * 255,
        "rgb": np.array(VOC_COLOURS, np.uint8)[labels],
        "strange": labels * 77,
        "small": labels[:5],
    }[kind]


@given(
    photographs,
    st.lists(st.sampled_from(OTHER_FILES), unique=True, max_size=3),
    st.sampled_from(["Main", "Segmentation", ""]),
)
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_nothing_is_lost(photos, others, lists):
    root = Path(tempfile.mkdtemp())
    try:
        check(root, photos, others, lists)
    finally:
        shutil.rmtree(root)


def check(root, photos, others, lists):
    drawn = made(root, photos, others, lists)
    lying = len(list((root / "JPEGImages").iterdir()))
    try:
        index = import_voc("mixed", root, truth=root / "drawn")
    except DatasetError as error:
        assert error.findings and all(str(finding).isprintable() for finding in error.findings)
        return
    used = [*index.splits["train"], *index.splits["val"]]
    wanted = {
        name: [image_id(p["stem"]) for p in photos if not lists or p["list"] == name] for name in ("train", "val")
    }
    if lists:
        assert {name: sorted(ids) for name, ids in index.splits.items()} == {
            n: sorted(ids) for n, ids in wanted.items()
        }
    left_out = [text for text in index.notes if text in LEFT_OUT or not lacking(text, "photographs", "no list")]
    assert len(used) + sum(index.notes[text].count for text in left_out) == lying
    twice = index.notes[TWICE].count if TWICE in index.notes else 0
    assert sum(len(index.records[name].boxes) for name in used) + twice == sum(drawn[name] for name in used)
    for record in index.records.values():
        assert all(0 <= x0 < x1 <= record.width and 0 <= y0 < y1 <= record.height for x0, y0, x1, y1 in record.boxes)
        image, truth = record.image(index.root), record.truth_labels(index.root)
        assert image.shape[:2] == (record.height, record.width)
        assert truth is None or (truth.shape == image.shape[:2] and set(np.unique(truth)) <= {0, 1, 2, 255})


def made(root, photos, others, lists):
    """Write the folder; how many boxes every image has."""
    for folder in ("JPEGImages", "Annotations", "SegmentationClass", f"ImageSets/{lists}"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "classes.txt").write_text("background\ncat\ndog\n")
    drawn, lines = {}, {"train": [], "val": []}
    for photo in photos:
        stem, suffix, orientation = photo["stem"], photo["suffix"], photo["orientation"]
        exif = Image.Exif()
        exif[0x0112] = orientation
        options = {} if suffix in (".gif", ".webp") else {"exif": exif}
        orientation = orientation if options else 1
        Image.new("RGB", (W, H), "red").save(root / "JPEGImages" / f"{stem}{suffix}", **options)
        objects = photo["objects"]
        drawn[image_id(stem)] = sum(1 + (kind == "twice") for _, kind, _, _ in objects or ())
        if objects is not None:
            text = "".join(f"<object><name>{name}</name>{element(*shape)}</object>" for name, *shape in objects)
            size = size_of(photo["size"], orientation)
            (root / "Annotations" / f"{stem}.xml").write_text(f"<annotation>{size}{text}</annotation>")
        if photo["mask"] != "none":
            shape = (W, H) if orientation >= 5 else (H, W)
            Image.fromarray(mask(photo["mask"], *shape)).save(root / "SegmentationClass" / f"{stem}.png")
        if photo["list"]:
            lines[photo["list"]].append(photo["line"].format(stem, suffix))
    for name in others:
        (root / "JPEGImages" / name).write_bytes(b"no photograph")
    for name, named in lines.items() if lists else ():
        (root / "ImageSets" / lists / f"{name}.txt").write_text("".join(f"{line}\n" for line in named))
    if not lists:
        (root / "ImageSets").rmdir()
    return drawn
