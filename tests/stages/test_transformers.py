"""A tiny random Vision Transformer as the backbone of every network, and a tiny random CLIP in the classifier's place, on the toy."""

import json
import shutil

import numpy as np
import pytest

from tests.messages import raises
from tests.once import once
from tests.stages.scl.conftest import Run as Episodes
from tests.tiny_clip import tiny_clip
from tests.toy import SMALL
from wsss_stages import training
from wsss_stages.data.index import Index
from wsss_stages.labels.cam import multi_scale
from wsss_stages.shards.manifest import Manifest
from wsss_stages.stages import (
    data,
    dfr_train,
    s1_classifier,
    s2_cam,
    s3_seeds,
    s4_affinity,
    s4_object_net,
    s5_graph,
    s7_segment,
    s8_predict,
    scl_episodes,
    scl_features,
    scl_train,
    weak_index,
)
from wsss_stages.store import contracts

VIT = ["--backbone", "tiny_vit", "--backbone-weights", "none"]


class Run:
    """Stages on the toy's images and boxes, in a folder of their own."""

    def __init__(self, toy, root):
        self.toy, self.root = toy, root

    def weights(self, stage):
        return self.root / stage / "weights.safetensors"

    def main(self, stage, *more):
        stage.main(["--index", str(self.toy.index), *map(str, more)])

    def train(self, stage, *more, small=SMALL):
        weights = self.weights(stage.__name__.rpartition(".")[2])
        self.main(stage, "--weights", weights, "--epochs", 1, *small, *more)
        return weights

    def make(self, stage, *more):
        name = stage.__name__.rpartition(".")[2]
        manifest = self.root / name / "train" / "1-of-1.json"
        self.main(stage, "--manifest", manifest, *more)
        return Manifest([manifest])


@pytest.fixture
def run(toy, tmp_path):
    return Run(toy, tmp_path)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return once(tmp_path_factory.getbasetemp(), "tiny_clip", tiny_clip)


def test_a_transformer_classifies_makes_cams_edges_and_segments(run):
    classifier = run.train(s1_classifier, *VIT)
    index = Index.read(run.toy.index)
    records = index.split("train")
    cams = run.make(s2_cam, "--weights", classifier, "--scales", "[1.0]")
    for record in records:
        cam = cams.read(record.id, contracts.CAM)["cam"]
        assert cam.shape == (len(record.tags), -(-record.height // 16), -(-record.width // 16))
    affinity = run.train(
        s4_affinity, "--seeds-manifests", run.toy.manifest("s3_seeds"), "--classifier", classifier, "--radius", 2
    )
    graphs = run.make(
        s5_graph, "--affinity", affinity, "--seeds-manifest", run.toy.manifest("s3_seeds"), "--walk-powers", "[8]", "--walk-steps", "[4]",
    )  # fmt: skip
    first = records[0]
    edges = graphs.read(first.id, contracts.EDGES)["E"]
    assert edges.shape[1:] == (-(-first.height // 8), -(-first.width // 8))  # a node in 8 pixels, of patches of 16
    segmenter = run.train(s7_segment, *VIT, "--pseudo", run.toy.manifest("s6_propagate"), "--head-channels", 16)
    predicted = run.make(s8_predict, "--weights", segmenter, "--scales", "[1.0]", "--split", "train")
    assert predicted.read(first.id, contracts.PREDICTION)["label"].shape == (first.height, first.width)


def test_object_network_and_detectors_pyramid_see_boxes_by_a_transformer(run):
    classifier = run.train(s1_classifier, *VIT)
    weights = run.train(
        s4_object_net, "--masks", run.toy.manifest("s3_masks"), "--classifier", classifier, "--width", 16,
        small=["--crop", 64, "--batch-size", 4, "--workers", 0],
    )  # fmt: skip
    assert training.read_provenance(weights)["backbone"] == "tiny_vit"


@pytest.mark.slow
def test_dfr_and_few_shot_learning_stand_on_a_transformer(run, tmp_path):
    few = Episodes(tmp_path / "few")
    few.root.mkdir()
    scenes = ("--root", few.root / "dataset", "--kind", "scenes", "--scenes-train", 12, "--scenes-val", 8)
    few.main(data, *scenes, index=few.index)
    few.main(scl_episodes, "--fold", 1, "--episodes", few.episodes, *few.EPISODES)
    manifest = few.manifest("train")
    few.main(scl_features, "--split", "train", "--manifest", manifest, "--backbone", "tiny_vit", "--side", 64)
    maps = Manifest([manifest]).read(Index.read(few.index).split("train")[0].id, contracts.MIDDLE)["F"]
    assert maps.shape == (8, 8, 96) and np.isfinite(maps).all()
    for baseline in ("canet", "pfenet"):
        weights = few.root / baseline / "weights.safetensors"
        few.main(
            scl_train, "--episodes", few.episodes, "--features", manifest, "--weights", weights, "--backbone", "tiny_vit", "--baseline",
            baseline, "--channels", 16, "--bins", "[1.0, 0.5]", "--epochs", 1, "--workers", 0,
        )  # fmt: skip
        assert len(json.loads(weights.with_name("curve.json").read_text())["grades"]) >= 1
    weak = run.root / "scribbles.json"
    weak_index.main(["--index", str(run.toy.full_index), "--weak", "scribble", "--out", str(weak)])
    segmenter, predicted = run.weights("dfr_train"), run.root / "val" / "1-of-1.json"
    small = [
        "--channels",
        "8",
        "--features",
        "8",
        "--radius",
        "2",
        "--crop",
        "64",
        "--batch-size",
        "4",
        "--workers",
        "0",
    ]
    dfr_train.main(["--index", str(weak), "--weights", str(segmenter), *VIT, "--epochs", "1", *small])
    which = ["--network", "dfr", "--scales", "[1.0]", "--split", "val"]
    s8_predict.main(["--index", str(weak), "--weights", str(segmenter), "--manifest", str(predicted), *which])
    record = Index.read(weak).split("val")[0]
    label = Manifest([predicted]).read(record.id, contracts.PREDICTION)["label"]
    assert label.shape == (record.height, record.width)


def test_clip_gives_cams_without_a_classifier_and_seeds_and_affinities_follow(run, clip):
    options = ("--source", "clip", "--clip-model", clip, "--scales", "[1.0, 0.75]")
    cams = run.make(s2_cam, *options)
    for record in Index.read(run.toy.index).split("train"):
        found = cams.read(record.id, contracts.CAM)
        assert found["classes"].tolist() == list(record.tags)
        assert found["cam"].shape == (len(record.tags), -(-record.height // 16), -(-record.width // 16))
        assert (found["cam"].max(axis=(1, 2)) == 1).all()
    manifest = run.root / "s2_cam" / "train" / "1-of-1.json"
    run.make(s3_seeds, "--cam", manifest, "--masks", run.toy.manifest("s3_masks"))
    affinity = run.train(
        s4_affinity,
        "--seeds-manifests",
        run.root / "s3_seeds" / "train" / "1-of-1.json",
        "--backbone",
        "tiny",
        "--radius",
        2,
    )
    known = training.read_provenance(affinity)
    assert known["backbone"] == "tiny" and known["origin"]["source"] == "none" and "classifier" not in known


def test_cams_of_clip_are_the_same_bytes_again_and_depend_on_its_weights_not_its_place(
    run, clip, tmp_path, monkeypatch
):
    options = ("--source", "clip", "--scales", "[1.0]", "--flip", "false")
    run.make(s2_cam, *options, "--clip-model", clip)
    first, *_ = files = sorted((run.root / "s2_cam" / "train" / "cam").iterdir())
    before = {path: path.read_bytes() for path in files}
    first.unlink()
    moved = shutil.copytree(clip, tmp_path / "elsewhere")
    made = []
    monkeypatch.setattr("wsss_stages.roads.cams.multi_scale", _counted(made))
    run.make(s2_cam, *options, "--clip-model", moved)
    assert len(made) == 1 and {path: path.read_bytes() for path in files} == before


def _counted(made):
    return lambda *arguments: made.append(arguments) or multi_scale(*arguments)


@pytest.mark.parametrize("source, given", [("clip", True), ("classifier", False)])
def test_a_classifier_goes_with_its_own_source_alone(toy, tmp_path, source, given):
    weights = ["--weights", str(toy.classifier)] if given else []
    with raises(ValueError, f"--source {source}", "s1_classifier"):
        s2_cam.main(
            ["--index", str(toy.index), "--manifest", str(tmp_path / "1-of-1.json"), "--source", source, *weights]
        )
