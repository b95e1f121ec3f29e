"""Artifacts of finished shards that are gone or empty."""

import os
import shutil

import numpy as np
import pytest

from wsss_stages.data.index import Index, Record, stable_hash
from wsss_stages.shards import lost
from wsss_stages.shards.shard import Shard
from wsss_stages.store import contracts

SHARDS = 2
MADE = (contracts.SEEDS, contracts.CAM)
IDS = [f"image_{number}" for number in range(8)]


@pytest.fixture
def folder(tmp_path):
    """Two finished shards of a PNG and an HDF5 for each image."""
    records = {i: Record(i, f"{i}.jpg", i, 4, 6, 4, 6, tags=[1]) for i in IDS}
    index = Index("made", tmp_path, ["background", "cat"], {"train": IDS}, records)
    arrays = {
        "seeds": np.zeros((4, 6), np.uint8),
        "cam": {"cam": np.zeros((1, 2, 3), np.float16), "classes": np.ones(1, np.uint8)},
    }
    for k in range(1, SHARDS + 1):
        shard = Shard("s3_seeds", MADE, index, "train", tmp_path / f"{k}-of-{SHARDS}.json", {}, [])
        for item in shard.todo():
            item.write(arrays)
        shard.finish()
        os.utime(shard.manifest)  # as Snakemake does when a job has ended
    for contract in MADE:
        os.utime(tmp_path / contract.name, (0, 0))  # some time before that
    return tmp_path


def found(folder):
    lost.lost.cache_clear()
    return lost.lost(folder, SHARDS)


def manifest_of(folder, image):
    return folder / f"{stable_hash(image) % SHARDS + 1}-of-{SHARDS}.json"


def emptied(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("contract", MADE)
@pytest.mark.parametrize("lose", [os.unlink, emptied])
def test_a_file_that_is_gone_or_empty_is_named_with_its_manifest(folder, contract, lose):
    assert found(folder) == {}
    file = folder / contract.name / f"{IDS[3]}{contract.suffix}"
    lose(file)
    assert found(folder) == {manifest_of(folder, IDS[3]): file}


def test_a_folder_that_is_gone_is_missed_by_every_shard(folder):
    shutil.rmtree(folder / "cam")
    assert set(found(folder)) == {folder / "1-of-2.json", folder / "2-of-2.json"}


def test_no_manifest_is_read_while_no_folder_has_changed(folder, monkeypatch):
    def read(manifest):
        raise AssertionError(manifest)

    monkeypatch.setattr(lost, "_items", read)
    assert found(folder) == {}


def test_a_file_that_no_manifest_names_is_nobodys(folder):
    emptied(folder / "seeds" / "stranger.png")
    assert found(folder) == {}


def test_unfinished_shards_and_those_of_another_number_lose_nothing(folder):
    (folder / "seeds" / f"{IDS[0]}.png").unlink()
    manifest_of(folder, IDS[0]).unlink()
    assert found(folder) == {}
    assert lost.lost(folder, 7) == {} == lost.lost(folder / "none", SHARDS)


def test_a_damaged_manifest_is_left_to_its_readers(folder):
    for path in folder.glob("*-of-*.json"):
        path.write_text("{")
    (folder / "seeds" / f"{IDS[0]}.png").unlink()
    assert found(folder) == {}
