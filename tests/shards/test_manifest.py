"""Manifests held compactly, and read one shard at a time."""

import json

import numpy as np
import pytest

from tests.messages import raises
from wsss_stages.data.index import Index, Record
from wsss_stages.shards.manifest import Manifest
from wsss_stages.shards.shard_by_shard import ShardByShard
from wsss_stages.store import artifacts, contracts

IDS = [f"image {number}" for number in range(12)]


@pytest.fixture
def index(tmp_path) -> Index:
    records = {i: Record(i, f"{i}.jpg", "0", 4, 4, 4, 4, truth="t.png" if n % 2 else None) for n, i in enumerate(IDS)}
    Index("toy", tmp_path, ["background", "cat"], {"train": IDS, "val": []}, records).write(tmp_path / "index.json")
    return Index.read(tmp_path / "index.json")


def finished(folder, index, n, names=("seeds", "edges"), left_out=()):
    """Manifests of a stage in n shards, without files; the paths."""
    paths = []
    for k in range(1, n + 1):
        ids = [r.id for r in index.shard("train", f"{k}-of-{n}") if r.id not in left_out]
        items = {i: {name: [f"{name}/{i}.png", f"sha-of-{name}-{i[6:]}"] for name in names} for i in ids}
        paths.append(folder / f"{k}-of-{n}.json")
        content = {"manifest": 1, "items": items, "notes": {"boxes": len(ids)}, "options": {"k": k}}
        artifacts.write_sealed(paths[-1], content)
    return paths


def plain(paths):
    """The same by dictionaries."""
    items = {}
    for path in paths:
        for image, files in json.loads(path.read_text())["items"].items():
            of_image = items.setdefault(image, {})
            of_image.update({name: (path.parent / file, sha) for name, (file, sha) in files.items()})
    return items


def test_a_manifest_is_what_its_files_say(index, tmp_path):
    paths = [*finished(tmp_path / "s3", index, 3), *finished(tmp_path / "s6", index, 2, ["pseudo"], IDS[:2])]
    found, wanted = Manifest(paths), plain(paths)
    assert dict(found.items) == wanted and len(found.items) == 12 and found.made == {"seeds", "edges", "pseudo"}
    assert found.notes == {"boxes": 22} and [made["k"] for made in found.options] == [1, 2, 3, 1, 2]
    assert found.sha256(IDS[5], "pseudo") == "sha-of-pseudo-5" and found.sha256(IDS[0], "pseudo") == ""
    assert found.artifact_names(IDS[0]) == {"seeds", "edges"} and found.artifact_names("unknown") == set()
    with pytest.raises(KeyError, match="unknown"):
        found.items["unknown"]


def test_only_what_is_wanted_is_kept(index, tmp_path):
    paths = finished(tmp_path / "s3", index, 3)
    found = Manifest(paths, [contracts.SEEDS], images={IDS[4], "unknown"})
    path = next(path for path, k in zip(paths, "123", strict=True) if IDS[4] in plain([path]))
    assert dict(found.items) == {IDS[4]: {"seeds": plain([path])[IDS[4]]["seeds"]}}
    assert found.made == {"seeds", "edges"} and found.notes == {"boxes": 12}
    with raises(artifacts.ContractError, "no edges", IDS[4], "snakemake --forcerun "):
        found.read(IDS[4], contracts.EDGES)


def test_bytes_are_compared_when_first_read(index, tmp_path):
    (path,) = finished(tmp_path / "s3", index, 1, ["seeds"])
    content = artifacts.read_json(path)
    for image in IDS[:2]:
        file = path.parent / "seeds" / f"{image}.png"
        artifacts.write(file, contracts.SEEDS, {"label": np.zeros((4, 4), np.uint8)}, {"notes": {"boxes": 1}})
        content["items"][image]["seeds"][1] = artifacts.sha256(file)
    artifacts.write_sealed(path, content)
    found = Manifest([path])
    assert not found.read(IDS[0], contracts.SEEDS)["label"].any() and found.counted(IDS[0], contracts.SEEDS) == {
        "boxes": 1
    }
    for image in IDS[:2]:
        file = path.parent / "seeds" / f"{image}.png"
        artifacts.write(file, contracts.SEEDS, {"label": np.ones((4, 4), np.uint8)}, {"notes": {}})
    assert found.read(IDS[0], contracts.SEEDS)["label"].all(), "the first image was compared already"
    with raises(artifacts.ContractError, f"{IDS[1]}.png", "changed", "snakemake --forcerun s3_seeds"):
        found.read(IDS[1], contracts.SEEDS)


@pytest.mark.parametrize("counts", [(1, 1), (4, 4), (4, 1)])
def test_every_image_comes_once_with_its_shards_manifests(index, tmp_path, counts):
    paths = [*finished(tmp_path / "s3", index, counts[0]), *finished(tmp_path / "s6", index, counts[1], ["pseudo"])]
    every = ShardByShard(index, "train", paths)
    assert every.made == {"seeds", "edges", "pseudo"} and len(every) == 12
    found = {record.id: (record, manifest.items[record.id], len(manifest.items)) for record, manifest in every}
    assert {image: files for image, (_, files, _) in found.items()} == plain(paths)
    assert all(record == index.records[image] for image, (record, _, _) in found.items())
    alone = {n: len(index.shard("train", f"{n}-of-4")) for n in range(1, 5)}
    assert {size for _, _, size in found.values()} <= ({*alone.values()} if counts == (4, 4) else {12})
    assert (
        every.notes == {"boxes": 24} and sorted(r.id for r, _ in every) == sorted(IDS) and every.notes == {"boxes": 24}
    )


def test_images_that_are_not_wanted_are_passed_over(index, tmp_path):
    paths = finished(tmp_path / "s3", index, 3, left_out=IDS[::2])
    some = ShardByShard(index.sample("train", 5), "train", paths, having=lambda record: record.truth)
    wanted = {r.id for r in index.sample("train", 5).split("train") if r.truth}
    assert {record.id for record, _ in some} == wanted and len(some) == len(wanted) > 0


def test_a_shard_without_a_manifest_is_reported(index, tmp_path):
    paths = finished(tmp_path / "s3", index, 4)
    with raises(artifacts.ContractError, "manifest", "2-of-4, 4-of-4"):
        ShardByShard(index, "train", [paths[0], paths[2]])


@pytest.mark.parametrize("left_out, keyword", [(-1, "lacks pseudo"), (0, "has pseudo")])
def test_an_image_with_other_artifacts_is_reported(index, tmp_path, left_out, keyword):
    first = finished(tmp_path / "s3", index, 3)
    order = [r.id for k in (1, 2, 3) for r in index.shard("train", f"{k}-of-3")]
    paths = [*first, *finished(tmp_path / "s6", index, 3, ["pseudo"], [order[left_out]])]
    with raises(artifacts.ContractError, keyword, "image ", "manifests"):
        list(ShardByShard(index, "train", paths))
