"""Shards by themselves: which manifests change with one image, and which files stay."""

from dataclasses import replace

import numpy as np
import pytest

from tests.messages import lacking
from wsss_stages.data.index import Index, Record, stable_hash
from wsss_stages.shards.shard import Shard
from wsss_stages.store import contracts

SHARDS = 3
IDS = tuple(f"image_{number}" for number in range(12))


def index_of(root, ids):
    records = {i: Record(i, f"{i}.jpg", i, 4, 6, 4, 6, [[1, 1, 3, 3]], [1], [1], kinds=["box"]) for i in ids}
    return Index("made", root, ["background", "cat"], {"train": list(ids)}, records, weak="box")


def run(root, index, sees=None):
    """Make what is still to be made in every shard: ids that were made, shards whose manifest changed."""
    made, changed = set(), set()
    for k in range(1, SHARDS + 1):
        manifest = root / f"{k}-of-{SHARDS}.json"
        before = manifest.read_bytes() if manifest.exists() else b""
        shard = Shard("s3_seeds", (contracts.SEEDS,), index, "train", manifest, {}, [], sees=sees)
        for item in shard.todo():
            item.write({"seeds": np.zeros(item.size, np.uint8)})
            made.add(item.id)
        shard.finish()
        changed |= {k} if manifest.read_bytes() != before else set()
    return made, changed


def shards_of(*ids):
    return {stable_hash(image) % SHARDS + 1 for image in ids}


@pytest.fixture
def index(tmp_path):
    made = index_of(tmp_path, IDS)
    assert run(tmp_path, made) == (set(IDS), {1, 2, 3})
    return made


def test_nothing_changed_makes_nothing(tmp_path, index):
    assert run(tmp_path, index) == (set(), set())


def test_a_new_image_touches_its_shard_alone(tmp_path, index):
    assert run(tmp_path, index_of(tmp_path, (*IDS, "new"))) == ({"new"}, shards_of("new"))


def test_an_edited_box_touches_its_image_and_shard_where_boxes_are_seen(tmp_path, index):
    edited = replace(index.records[IDS[5]], boxes=[[1, 1, 4, 3]])
    other = replace(index, records={**index.records, IDS[5]: edited})
    assert run(tmp_path, other) == ({IDS[5]}, shards_of(IDS[5]))
    run(tmp_path / "photo", index, sees=())
    assert run(tmp_path / "photo", other, sees=()) == (set(), set())


def test_an_image_that_left_takes_its_file_along(tmp_path, index, capsys):
    left = tuple(i for i in IDS if i != IDS[3])
    assert run(tmp_path, index_of(tmp_path, left)) == (set(), shards_of(IDS[3]))
    assert {path.stem for path in (tmp_path / "seeds").iterdir()} == set(left)
    assert not lacking(capsys.readouterr().err, "deleted 1 file", f"{IDS[3]}.png")


def test_fewer_images_keep_the_files_of_the_others(tmp_path, index, capsys):
    made, changed = run(tmp_path, index.sample("train", 2))
    assert made == set() and changed
    assert {path.stem for path in (tmp_path / "seeds").iterdir()} == set(IDS)
    assert run(tmp_path, index)[0] == set() and "deleted" not in capsys.readouterr().err
