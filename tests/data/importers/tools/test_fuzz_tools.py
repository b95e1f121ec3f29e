"""Damaged exports at every tool's door: a finding or an index that stages can read, never another exception.

The same examples every time; WSSS_FUZZ_EXAMPLES sets another number of them.
"""

import copy
import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.data.importers.test_fuzz import MARKUP, NAMES, NUMBERS, SIGNS, VALUES
from tests.data.importers.tools.conftest import ExportFolder, labels_of
from tests.data.importers.tools.test_cvat import BOX, CLICKS, LINE, MASK, POLYGON, TAG, datumaro, image, xml
from tests.data.importers.tools.test_label_studio import BRUSH, CHOICE, CLICK, box, task
from tests.data.importers.tools.test_label_studio import POLYGON as REGION
from tests.data.importers.tools.test_labelme import BOX as RECTANGLE
from tests.data.importers.tools.test_labelme import MASK as PIXELS
from tests.data.importers.tools.test_labelme import POLYGON as OUTLINE
from tests.data.importers.tools.test_labelme import file, shape
from tests.data.importers.tools.test_yolo import BOX as ROW
from tests.data.importers.tools.test_yolo import OUTLINE as ROW_OF_POINTS
from wsss_stages.data import rle
from wsss_stages.data.findings import DatasetError

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("WSSS_FUZZ_EXAMPLES", "60"))
CODE = rle.encode(np.ones((1, 16, 20), bool))[0]
ITEMS = [
    {"type": "bbox", "label_id": 0, "bbox": [1, 2, 5, 6], "group": 2},
    {"type": "mask", "label_id": 1, "rle": CODE},
    {"type": "polygon", "label_id": 1, "points": [1, 1, 9, 1, 9, 9]},
    {"type": "points", "label_id": 0, "points": [3, 4]},
]
TREES = {
    "label_studio": ("a.json", [task(box(), BRUSH, REGION, CLICK, CHOICE)]),
    "labelme": ("a.json", file(RECTANGLE, PIXELS, OUTLINE, shape("linestrip", [[1, 1], [9, 2]]), imageData="aGVsbG8=")),
    "datumaro": ("annotations/default.json", datumaro(*ITEMS)),
}
TEXTS = {
    "cvat": ("annotations.xml", xml(image(BOX, POLYGON, MASK, LINE, CLICKS, TAG)).encode(), MARKUP + NUMBERS + NAMES),
    "yolo": ("a.txt", (ROW + ROW_OF_POINTS).encode(), NUMBERS + SIGNS),
    "yolo's names": ("data.yaml", b"names: {0: cat, 1: dog}\ntrain: [a, b]\nval: x.txt\n", NUMBERS + NAMES + SIGNS),
    "label_studio": ("a.json", json.dumps(TREES["label_studio"][1]).encode(), SIGNS + NUMBERS + NAMES),
    "labelme": ("a.json", json.dumps(TREES["labelme"][1]).encode(), SIGNS + NUMBERS + NAMES),
    "datumaro": ("annotations/default.json", json.dumps(TREES["datumaro"][1]).encode(), SIGNS + NUMBERS + NAMES),
}


def read(kind, name, content, zipped=False):
    home = Path(tempfile.mkdtemp())
    try:
        export = ExportFolder(home / "export")
        export.photo("a.jpg")
        if kind.startswith("yolo"):
            export.write("a.txt", ROW + ROW_OF_POINTS)
            export.write("data.yaml", "names: [cat, dog]")
        export.write(name, content)
        try:
            index = export.read(kind.partition("'")[0], export.zip() if zipped else None)
        except DatasetError as error:
            assert error.findings and all(str(finding).isprintable() for finding in error.findings)
            assert not export.truth.exists()
            return
        for record in index.records.values():
            height, width = record.full_height, record.full_width
            assert all(0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height for x0, y0, x1, y1 in record.boxes)
            assert all(0 <= x < width and 0 <= y < height for x, y, _ in record.points)
            assert set(record.box_classes) | set(record.tags) <= set(range(1, len(index.classes)))
            for what in ("truth", "instances", "scribbles"):
                assert getattr(record, what) is None or labels_of(index, record.id, what).shape == (height, width)
            assert record.image(index.root).shape == (height, width, 3)
    finally:
        shutil.rmtree(home)


def spots(tree, path=()):
    """Return the paths to all values of a JSON."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path, *(spot for key, value in inner for spot in spots(value, (*path, key)))]


@pytest.mark.parametrize("kind", TEXTS)
@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_damaged_bytes(kind, data):
    name, content, pieces = TEXTS[kind]
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(damaged)))
        match data.draw(st.sampled_from(["flip", "cut", "insert", "drop"])):
            case "flip" if at < len(damaged):
                damaged[at] ^= 1 << data.draw(st.integers(0, 7))
            case "cut":
                del damaged[at:]
            case "insert":
                damaged[at:at] = data.draw(st.sampled_from(pieces))
            case _:
                del damaged[at : at + data.draw(st.integers(1, 9))]
    read(kind, name, bytes(damaged), zipped=data.draw(st.booleans()))


@pytest.mark.parametrize("kind", TREES)
@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_values_of_other_kinds(kind, data):
    name, content = TREES[kind]
    damaged = copy.deepcopy(content)
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from([spot for spot in spots(damaged) if spot]))
        place = damaged
        for key in path[:-1]:
            place = place[key]
        if data.draw(st.booleans()) and isinstance(place, dict):
            del place[path[-1]]
        else:
            place[path[-1]] = copy.deepcopy(data.draw(st.sampled_from(VALUES)))
    read(kind, name, json.dumps(damaged).encode())
