"""A corrected image in a finished run: the mask is its label, and nothing of other images is made again."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.messages import lacking
from tests.toy import Toy
from wsss_stages.a2gnn.kept_boxes import without_object
from wsss_stages.commands import corrections as command
from wsss_stages.data.importers.voc_writer import write_labels
from wsss_stages.data.index import Index
from wsss_stages.labels.prompt_masks import StoredMasks
from wsss_stages.shards.manifest import Manifest
from wsss_stages.stages import data, s3_masks, s3_seeds, weak_index
from wsss_stages.store import contracts


@pytest.fixture
def finished(toy, tmp_path):
    """A copy of the toy, to go on with."""
    shutil.copytree(toy.root, tmp_path / "toy", ignore=shutil.ignore_patterns("dataset", "report", "kept"))
    (tmp_path / "toy/dataset").symlink_to(toy.root / "dataset")
    return Toy(tmp_path / "toy")


def painted(index: Index, image: str) -> np.ndarray:
    """Return a mask that no stage would make: the upper half of every box, and an object of the first class without a box."""
    record = index.records[image]
    labels = np.zeros((record.full_height, record.full_width), np.uint8)
    for (x0, y0, x1, y1), cls in zip(record.full_boxes().tolist(), record.box_classes, strict=True):
        labels[y0 : (y0 + y1) // 2, x0:x1] = cls
    labels[:3, :4] = record.tags[0]
    return labels


def manifests(folder: Path, stage: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / stage / "train").glob("*.json")}


def test_a_corrected_mask_is_the_label_and_other_images_stay(finished, capsys):
    before = Index.read(finished.full_index)
    image, *others = before.splits["train"]
    mask = painted(before, image)
    write_labels(finished.root / "mine" / f"{image}.png", mask)
    command.main([str(finished.root), "--corrections", str(finished.root / "mine"), "--who", "Ada"])
    folder = finished.root / "corrections"
    assert not lacking(
        capsys.readouterr().out, "1 of 8 training images", "1 of them by a mask", "data: ... corrections"
    )
    kept = {
        path: path.stat().st_mtime_ns
        for stage in ("s3_masks", "s3_seeds")
        for path in finished.manifest(stage).parent.rglob("*.*")
        if path.suffix in (".png", ".h5")
    }
    data.main([*finished.argv("data"), "--corrections", str(folder)])
    weak_index.main(finished.argv("weak_index"))
    for stage in (s3_masks, s3_seeds):
        stage.main(finished.argv(stage.__name__.rpartition(".")[2]))
    assert {path.stem for path, time in kept.items() if path.stat().st_mtime_ns != time} == {image}
    index = Index.read(finished.index)
    record = index.records[image]
    assert record.corrected and record.truth_sha256 and index.weak == "box"
    made = Manifest([finished.manifest("s3_seeds"), finished.manifest("s3_masks")])
    for contract in (contracts.SEEDS, contracts.SEEDS_FULL, contracts.GRABCUT, contracts.CHECKED):
        assert (made.read(image, contract)["label"] == mask).all()
    assert (made.read(image, contracts.CAM_LABEL)["label"] != mask).any()
    stored = StoredMasks(made.read(image, contracts.MASKS), record.width)
    boxes, classes = record.box_arrays()
    assert (
        not stored.substituted.any()
        and (stored.hard.any(axis=0) == np.isin(mask, classes) & (stored.hard.any(axis=0))).all()
    )
    assert not without_object(mask, boxes, classes)
    assert {k: v.sha256 for k, v in index.records.items()} == {k: v.sha256 for k, v in before.records.items()}
    unlike = [k for k in others if vars(index.records[k]) != vars(before.with_weak("box").records[k])]
    assert not unlike


@pytest.mark.slow
def test_only_the_shard_of_a_corrected_image_is_written_again(finished):
    from wsss_stages.stages import s2_cam, s5_graph, s5_object_masks, s6_propagate  # torch

    index = Index.read(finished.full_index)
    image = index.splits["train"][0]
    halves = {n: [record.id for record in index.shard("train", f"{n}-of-2")] for n in (1, 2)}
    own = next(n for n, ids in halves.items() if image in ids)
    stages = (s2_cam, s3_masks, s3_seeds, s5_object_masks, s5_graph, s6_propagate)

    def run():
        for stage in stages:
            for n in halves:
                argv = [
                    word.replace("1-of-1.json", f"{n}-of-2.json")
                    for word in finished.argv(stage.__name__.rpartition(".")[2])
                ]
                stage.main(argv)

    run()
    names = [stage.__name__.rpartition(".")[2] for stage in stages]
    before = {name: manifests(finished.root, name) for name in names}
    mask = painted(index, image)
    write_labels(finished.root / "mine" / f"{image}.png", mask)
    command.main([str(finished.root), "--corrections", str(finished.root / "mine")])
    data.main([*finished.argv("data"), "--corrections", str(finished.root / "corrections")])
    weak_index.main(finished.argv("weak_index"))
    run()
    changed = {
        name: {key for key, content in manifests(finished.root, name).items() if content != before[name][key]}
        for name in names
    }
    assert changed.pop("s2_cam") == set() and set(map(frozenset, changed.values())) == {frozenset({f"{own}-of-2.json"})}
    pseudo = Manifest([finished.root / "s6_propagate/train" / f"{own}-of-2.json"])
    assert (pseudo.read(image, contracts.PSEUDO)["label"] == mask).all()
    assert (pseudo.read(image, contracts.CONFIDENCE)["confidence"] == 65535).all()
