"""200,000 images in little memory: what a process takes above its imports, by the kernel's own count of its peak."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsss_stages.data import index_file
from wsss_stages.data.hashes import stable_hash
from wsss_stages.data.index import Index
from wsss_stages.data.record import Record
from wsss_stages.store import artifacts, contracts

IMAGES, SHARDS, WITH_TRUTH = 200_000, 100, 40
STATUS = Path("/proc/self/status")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not STATUS.exists(), reason="a process's peak memory is read from /proc"),
]

PEAK = """
def peak():
    (line,) = (line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
before = peak()
"""


def megabytes(imports: str, work: str, *argv) -> float:
    """Peak resident memory that `work` adds to what its imports take; it sees the arguments as sys.argv[1:]."""
    code = f"import sys\n{imports}\n{PEAK}\n{work}\nprint(peak() - before)"
    line = [sys.executable, "-c", code, *map(str, argv)]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return float(done.stdout.splitlines()[-1])


def image(number: int) -> str:
    return f"image_{number:06d}"


def records(images: int):
    """Tiny ones; the first have a true mask of 8 x 8 pixels."""
    for number in range(images):
        truth = "truth.png" if number < WITH_TRUTH else None
        sha = f"{number:064x}"
        yield Record(
            image(number), f"{number}.jpg", sha, 8, 8, 8, 8, [[1, 1, 5, 6]], [1], [1], kinds=["box"], truth=truth
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """An index and the manifests of s3_seeds in 100 shards; artifacts are there of the images with truth only."""
    root = tmp_path_factory.mktemp("scale")
    header = {"dataset": "tiny", "root": str(root), "weak": "", "classes": ["background", "cat"], "notes": {}}
    index_file.write(root / "index.json", header | {"splits": {"train": IMAGES, "val": 0}}, records(IMAGES))
    label = np.zeros((8, 8), np.uint8)
    label[1:6, 1:5] = 1
    artifacts.write(root / "truth.png", contracts.SEEDS, {"label": label}, {})
    items: list[dict] = [{} for _ in range(SHARDS)]
    for number in range(IMAGES):
        files = {
            c.name: [f"{c.name}/{image(number)}.png", f"{number:064x}"] for c in (contracts.SEEDS, contracts.GRABCUT)
        }
        for name, entry in files.items() if number < WITH_TRUTH else ():
            path = root / "train" / entry[0]
            artifacts.write(path, contracts.ALL[name], {"label": label}, {"notes": {}})
            entry[1] = artifacts.sha256(path)
        items[stable_hash(image(number)) % SHARDS][image(number)] = files
    for k, of_shard in enumerate(items, 1):
        content = {"manifest": 1, "items": of_shard, "notes": {"boxes": len(of_shard)}, "options": {}}
        artifacts.write_sealed(root / "train" / f"{k}-of-{SHARDS}.json", content)
    return root


OPEN = "from wsss_stages.data.index import Index"


@pytest.fixture
def boxed(tmp_path) -> Path:
    """A folder of 300 photographs with 400 boxes each."""
    root = tmp_path / "boxed"
    for name in ("JPEGImages", "Annotations"):
        (root / name).mkdir(parents=True)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(root / "one.jpg")
    corners = [
        (x0, y0, x1, y1)
        for x0 in range(1, 8)
        for y0 in range(1, 8)
        for x1 in range(x0 + 1, 9)
        for y1 in range(y0 + 1, 9)
    ]
    boxes = (
        f"<bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox>"
        for x0, y0, x1, y1 in corners[:400]
    )
    objects = "".join(f"<object><name>cat</name>{box}</object>" for box in boxes)
    (root / "one.xml").write_text(f"<annotation>{objects}</annotation>")
    for number in range(300):
        os.link(root / "one.jpg", root / "JPEGImages" / f"{number}.jpg")
        os.link(root / "one.xml", root / "Annotations" / f"{number}.xml")
    return root


def test_an_importer_holds_no_records(boxed, tmp_path):
    """The importer takes 18 MB with all records in memory, and 6 without."""
    imports = "from pathlib import Path\nfrom wsss_stages.data.images import available\nfrom wsss_stages.data.importers.voc import import_voc\navailable()"
    work = "import_voc('boxed', Path(sys.argv[1])).write(Path(sys.argv[2]))"
    assert megabytes(imports, work, boxed, tmp_path / "index.json") < 11
    index = Index.read(tmp_path / "index.json")
    assert len(index.records["299"].boxes) == 400 and len(index.splits["train"]) == 300


def test_a_shards_job_reads_its_part_of_the_index(folder):
    work = """
index = Index.read(sys.argv[1])
own = index.shard("train", "3-of-100")
assert 1800 < len(own) < 2200 and len(index.sample("train", 50).split("train")) == 50
assert index.records["image_123456"].sha256 == f"{123456:064x}" and len(index.splits["train"]) == 200_000
"""
    assert megabytes(OPEN, work, folder / "index.json") < 40


def test_a_training_holds_places_of_its_images_only(folder):
    """All records as objects would take ten times as much."""
    work = """
index = Index.read(sys.argv[1])
seeds = Manifest(sys.argv[2:], [contracts.SEEDS])
records = index.split("train", having=lambda record: record.tags)
assert len(records) == 200_000 and records[-1].id == "image_199999"
assert artifacts.fingerprint_each((r.sha256, seeds.sha256(r.id, "seeds")) for r in records)
"""
    imports = (
        f"{OPEN}\nfrom wsss_stages.store import artifacts, contracts\nfrom wsss_stages.shards.manifest import Manifest"
    )
    manifests = (folder / "train").glob("*-of-*.json")
    assert megabytes(imports, work, folder / "index.json", *manifests) < 110


def test_the_index_of_one_kind_streams_from_file_to_file(folder, tmp_path):
    imports = f"{OPEN}\nfrom wsss_stages.data import findings\nfrom wsss_stages.data.weak import completeness\nfrom wsss_stages.stages import weak_index"
    argv = ["--index", folder / "index.json", "--weak", "box", "--out", tmp_path / "index.json"]
    assert megabytes(imports, "weak_index.main(sys.argv[1:])", *argv) < 40
    assert (tmp_path / "index.json").read_bytes().count(b"\n") == IMAGES + 4


def test_the_evaluation_forgets_every_shard(folder, tmp_path):
    imports = (
        f"{OPEN}\nimport cv2\nfrom wsss_stages.evaluation import metrics\nfrom wsss_stages.stages import s9_evaluate"
    )
    argv = ["--index", folder / "index.json", "--split", "train", "--scores", tmp_path / "scores.json", "--manifests"]
    manifests = sorted((folder / "train").glob("*-of-*.json"))
    assert megabytes(imports, "s9_evaluate.main(sys.argv[1:])", *argv, *manifests) < 60
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["images"] == WITH_TRUTH and scores["images_without_truth"] == IMAGES - WITH_TRUTH
    assert (
        scores["rows"]["seeds"]["miou"] == scores["rows"]["grabcut"]["miou"] == 1 and scores["notes"]["boxes"] == IMAGES
    )
    assert scores["rows"]["seeds"]["confusion"] == [[44 * WITH_TRUTH, 0], [0, 20 * WITH_TRUTH]]
