"""Tags with saliency maps: the index knows them, seeds follow them, other kinds of weak label do not see them."""

import cv2
import numpy as np
import pytest
from PIL import Image

from wsss_stages.data.index import Index
from wsss_stages.labels import reliable
from wsss_stages.shards.manifest import Manifest
from wsss_stages.shards.shard import Shard
from wsss_stages.stages import data, s3_seeds, weak_index
from wsss_stages.store import contracts


@pytest.fixture(scope="module")
def salient(toy, tmp_path_factory):
    """Objects of the truth are salient in all training images but the first, where nothing is."""
    root = tmp_path_factory.mktemp("saliency")
    (root / "maps").mkdir()
    index = Index.read(toy.full_index)
    for number, record in enumerate(index.split("train")):
        salient = np.isin(record.truth_labels(index.root), record.tags) & (number > 0)
        Image.fromarray(np.where(salient, 200, 40).astype(np.uint8)).save(root / "maps" / f"{record.id}.png")
    argv = ["--root", toy.root / "dataset", "--index", root / "full.json", "--saliency", root / "maps"]
    data.main([str(a) for a in argv])
    for weak in ("tag", "box"):
        weak_index.main(["--index", str(root / "full.json"), "--weak", weak, "--out", str(root / weak / "index.json")])
    full = Index.read(root / "full.json")
    shard = Shard("s2_cam", (contracts.CAM,), full, "train", root / "s2_cam" / "1-of-1.json", {}, [])
    for item in shard.todo():
        item.write({"cam": {"cam": blurred(item.record, full), "classes": np.uint8(item.record.tags)}})
    shard.finish()
    return root


def blurred(record, index):
    """(k, y, x) float16: CAMs that reach over their objects, better than the toy's classifier could."""
    truth = record.truth_labels(index.root)
    masks = [cv2.resize(np.float32(truth == c), (20, 20), interpolation=cv2.INTER_AREA) for c in record.tags]
    cams = np.stack([cv2.GaussianBlur(mask, (0, 0), 1) for mask in masks])
    return (cams / cams.max(axis=(1, 2), keepdims=True)).astype(np.float16)


def seeds(salient, weak, *options):
    out = salient / weak / "_".join(options) / "1-of-1.json"
    argv = ["--index", salient / weak / "index.json", "--cam", salient / "s2_cam" / "1-of-1.json", "--manifest", out]
    s3_seeds.main([str(a) for a in (*argv, *options)])
    return Manifest([out])


@pytest.mark.parametrize("options, all_salient", [((), False), (("--salient", "0.1"), True)])
def test_seeds_of_tags_are_what_saliency_does_not_contradict(salient, toy, options, all_salient):
    found, index = seeds(salient, "tag", *options), Index.read(salient / "tag" / "index.json")
    weak_index.main(["--index", str(toy.full_index), "--weak", "tag", "--out", str(salient / "plain" / "index.json")])
    plain = seeds(salient, "plain")
    lost, known = 0, set()
    for record in index.split("train"):
        M_I, before, M_F, M_g = (
            manifest.read(record.id, contract)["label"]
            for manifest, contract in (
                (plain, contracts.CAM_LABEL), (plain, contracts.SEEDS), (found, contracts.SEEDS_FULL), (found, contracts.SEEDS),
            )
        )  # fmt: skip
        grey = np.asarray(Image.open(salient / "maps" / f"{record.id}.png"))
        is_salient = np.ones_like(grey, bool) if all_salient else grey == 200
        expected = reliable.with_saliency(M_I, before, is_salient)
        np.testing.assert_array_equal((M_F, M_g), expected)
        np.testing.assert_array_equal(found.read(record.id, contracts.CAM_LABEL)["label"], M_I)
        known |= {*M_g.ravel()} - {255}
        lost += len({*before.ravel()} - {*M_g.ravel()} - {255})
    assert found.notes["class_lost_to_saliency"] == lost > 0
    assert (0 in known) != all_salient and len(known) > 2
    assert "class_lost_to_saliency" not in plain.notes


def test_runs_on_boxes_know_nothing_of_it(salient):
    assert {r.saliency for r in Index.read(salient / "box" / "index.json").records.values()} == {None}
