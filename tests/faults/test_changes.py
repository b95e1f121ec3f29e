"""One thing changes: what depends on it is made again, no other item is, and what is stale goes."""

import importlib
import shutil
from dataclasses import replace

import pytest

from tests.messages import raises
from wsss_stages.data.index import Index, stable_hash
from wsss_stages.shards.pruning import prune
from wsss_stages.store import artifacts, contracts

CHAIN = ("s2_cam", "s3_masks", "s3_seeds", "s5_graph", "s5_object_masks", "s6_propagate")
"""Each reads what those before it made; the weights stay as they are."""
BY_BOXES = CHAIN[1:]
MANY = {f"image_{number}" for number in range(40)}


class Copy:
    """The road's index and image-wise results in another folder, where they may change."""

    def __init__(self, road, root):
        self.road, self.root, self.index = road, root, root / "index.json"
        road.make(CHAIN[-1])
        shutil.copy(road.out("weak_index"), self.index)
        for stage in CHAIN:
            shutil.copytree(road.out(stage).parent, root / stage)

    def change(self, record_of=lambda record: record, without=(), **its):
        """Write the index anew with every record passed through a function, without some, with other fields of the index."""
        index = Index.read(self.index)
        records = {name: record_of(index.records[name]) for name in index.records if name not in without}
        splits = {name: [i for i in ids if i not in without] for name, ids in index.splits.items()}
        replace(index, records=records, splits=splits, **its).write(self.index)

    def images(self):
        return [record.id for record in Index.read(self.index).split("train")]

    def run(self, stage, *more):
        """Ids of the images that a stage writes now."""
        there = {self.road.out(s): self.root / s / self.road.out(s).name for s in CHAIN}
        there[self.road.out("weak_index")] = self.index
        argv = [str(there.get(part, part)) for part in self.road.argv(stage, self.root)]
        before = self._files(stage)
        importlib.import_module(f"wsss_stages.stages.{stage}").main([*argv, *map(str, more)])
        return {path.stem for path, inode in self._files(stage).items() if before.get(path) != inode}

    def _files(self, stage):
        files = (self.root / stage).glob("*/*")
        return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}

    def stems(self, stage):
        return {path.stem for path in self._files(stage)}


def only(**made):
    """These items of these stages, none of the others."""
    return {stage: made.get(stage, set()) for stage in CHAIN}


@pytest.fixture
def copy(road, tmp_path):
    return Copy(road, tmp_path)


def test_an_edited_box_remakes_what_boxes_make_of_that_image(copy):
    (chosen, *_) = [r.id for r in Index.read(copy.index).split("train") if r.boxes]

    def edit(record):
        if record.id != chosen:
            return record
        (x0, y0, x1, y1), *others = record.boxes
        return replace(record, boxes=[[x0, y0, x1 - 2, y1], *others])

    copy.change(edit)
    made = {stage: copy.run(stage) for stage in CHAIN}
    assert made == only(**{stage: {chosen} for stage in BY_BOXES})


def test_a_deleted_image_leaves_no_file_and_comes_back_alone(copy):
    gone, *left = copy.images()
    index = copy.index.read_bytes()
    copy.change(without=(gone,))
    assert {stage: copy.run(stage) for stage in CHAIN} == only()
    for stage in CHAIN:
        assert copy.stems(stage) == set(left)
        assert set(artifacts.read_sealed(copy.root / stage / "1-of-1.json")["items"]) == set(left)
    copy.index.write_bytes(index)
    assert {stage: copy.run(stage) for stage in CHAIN} == {stage: {gone} for stage in CHAIN}


def test_a_renamed_class_remakes_nothing(copy):
    copy.change(classes=["background", *(f"{c} renamed" for c in Index.read(copy.index).classes[1:])])
    assert {stage: copy.run(stage) for stage in CHAIN} == only()


def test_an_option_of_s6_remakes_s6_alone(copy):
    everything = set(copy.images())
    made = {stage: copy.run(stage, *(("--lr", 0.02) if stage == "s6_propagate" else ())) for stage in CHAIN}
    assert made == only(s6_propagate=everything)


def test_a_newer_contract_remakes_its_stage_and_what_reads_it(copy, monkeypatch):
    everything = set(copy.images())
    newer = replace(contracts.EDGES, version=contracts.EDGES.version + 1)
    monkeypatch.setattr(contracts, "EDGES", newer)
    monkeypatch.setitem(contracts.ALL, "edges", newer)
    made = {stage: copy.run(stage) for stage in CHAIN}
    assert made == only(s5_graph=everything, s6_propagate=everything)


def test_pruning_takes_what_the_shard_owns_and_no_more(tmp_path):
    for image_id in MANY:
        (tmp_path / f"{image_id}.png").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / "folder").mkdir()
    gone = next(i for i in (f"gone_{n}" for n in range(99)) if stable_hash(i) % 3 == 1)
    (tmp_path / f"{gone}.png").mkdir()
    own = {image_id for image_id in MANY if stable_hash(image_id) % 3 == 1}
    wanted = set(sorted(own)[:2])
    assert {path.stem for path in prune(tmp_path, ".png", wanted, "2-of-3")} == own - wanted
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {f"{i}.png" for i in (MANY - own) | wanted} | {"notes.txt", "folder", f"{gone}.png"}
    assert prune(tmp_path / "none", ".png", wanted, "2-of-3") == []


@pytest.mark.parametrize("stage", sorted({contract.made_by for contract in contracts.ALL.values()}))
def test_the_version_of_a_stage_changes_with_each_of_its_contracts(stage, monkeypatch):
    """Which stands in the params of its rule: workflow/test_versions.py."""
    for contract in [c for c in contracts.ALL.values() if c.made_by == stage]:
        before = contracts.version_of(stage)
        with monkeypatch.context() as patch:
            patch.setitem(contracts.ALL, contract.name, replace(contract, version=contract.version + 1))
            assert contracts.version_of(stage) != before


def test_a_stage_without_artifacts_of_images_has_no_version():
    with raises(ValueError, "s9_evaluate", "artifact", "['rrm_label', "):
        contracts.version_of("s9_evaluate")
