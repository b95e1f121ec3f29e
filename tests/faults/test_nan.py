"""NaN in a network or in an earlier artifact stops a stage, which names itself and the image; no label comes of it."""

import importlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.messages import raises
from wsss_stages.commands import few_shot as few_shot_command
from wsss_stages.data.index import Index
from wsss_stages.roads import few_shot_photos
from wsss_stages.store import artifacts, check_finite, contracts
from wsss_stages.training import networks

RESTORES = {
    "s2_cam": "restore_classifier",
    "s5_graph": "restore_affinity",
    "s5_object_masks": "restore_object_net",
    "s6_propagate": "restore_affinity",
    "s8_predict": "restore_segmenter",
    "s8_detect": "restore_detector",
    "rrm_label": "restore_segmenter",
    "scl_features": "build_frozen",
}
"""What each stage takes its network from."""


def main_of(stage):
    return importlib.import_module(f"wsss_stages.stages.{stage}").main


@pytest.fixture
def spoilt(monkeypatch):
    """Make a function of `models` give its network with NaN in one number of its first layer, or of a part's."""

    def spoil(name, part=""):
        real = getattr(networks, name)

        def restore(*args, **kwargs):
            network, *rest = real(*args, **kwargs)
            with torch.no_grad():
                next(network.get_submodule(part).parameters()).view(-1)[0] = torch.nan
            return network, *rest

        for holder in (networks, few_shot_photos):  # one imported meanwhile would keep the spoilt function
            if hasattr(holder, name):
                monkeypatch.setattr(holder, name, restore)

    return spoil


@pytest.mark.parametrize("stage", RESTORES)
def test_a_network_with_nan_makes_no_label(road, stage, tmp_path, spoilt):
    road.make(stage)
    spoilt(RESTORES[stage])
    with raises(check_finite.NotFiniteError, f"{stage}, image ", "NaN", "snakemake --forcerun ") as caught:
        main_of(stage)(list(map(str, road.argv(stage, tmp_path))))
    image = str(caught.value).removeprefix(f"{stage}, image ").partition(":")[0]
    assert image in Index.read(road.out("data")).records

    assert not [p for p in tmp_path.rglob("*.*") if p.suffix in (".h5", ".png", ".json")]


@pytest.mark.parametrize(
    "stage, source, contract", [("s3_seeds", "s2_cam", contracts.CAM), ("s6_propagate", "s5_graph", contracts.EDGES)]
)
def test_nan_in_an_earlier_artifact_is_named_with_its_image(road, stage, source, contract, tmp_path, monkeypatch):
    """NaN that is sealed and in the manifest, as no stage of ours would write it."""
    road.make(stage)
    made = road.out(source)
    shutil.copytree(made.parent, tmp_path / source)
    manifest = tmp_path / source / made.name
    content = artifacts.read_sealed(manifest)
    image, files = next((i, f) for i, f in content["items"].items())
    path = manifest.parent / files[contract.name][0]
    arrays, meta = artifacts.read(path, contract)
    name = next(iter(contract.fields))
    arrays[name][0, 0, 0] = np.nan
    with monkeypatch.context() as patch:
        patch.setattr(artifacts, "check", lambda *_: None)
        artifacts.write(path, contract, arrays, meta)
    files[contract.name][1] = artifacts.sha256(path)
    artifacts.write_sealed(manifest, content)
    argv = [str(manifest) if part == made else str(part) for part in road.argv(stage, tmp_path)]
    with raises(artifacts.ContractError, f"{image}.h5", "NaN", f"snakemake --forcerun {source}"):
        main_of(stage)(argv)
    assert not list((tmp_path / stage).rglob(f"{image}.*"))


@pytest.fixture(scope="module")
def few_shot(tmp_path_factory):
    """Index, episodes, manifests of both splits and weights of a few-shot network that hardly learned."""
    root = tmp_path_factory.mktemp("few_shot")
    index, episodes, weights = root / "index.json", root / "episodes.json", root / "weights.safetensors"
    both = [root / split / "1-of-1.json" for split in ("train", "val")]

    def run(stage, *argv):
        main_of(stage)(["--index", str(index), *map(str, argv)])

    run("data", "--root", root / "dataset", "--kind", "scenes", "--scenes-train", 6, "--scenes-val", 6)
    for manifest in both:
        flags = ("--split", manifest.parent.name, "--manifest", manifest, "--backbone", "tiny", "--side", 64)
        run("scl_features", *flags)
    run("scl_episodes", "--fold", 1, "--episodes", episodes, "--min-pixels", 20, "--shots", 1, "--test-pairs", 2,
        "--test-seeds", 1, "--train-pairs", 4, "--held-out", 0.3, "--held-out-pairs", 1)  # fmt: skip
    run("scl_train", "--episodes", episodes, "--features", both[0], "--weights", weights, "--backbone", "tiny", "--channels", 16,
        "--bins", "[1.0]", "--epochs", 1, "--workers", 0)  # fmt: skip
    return index, episodes, both, weights


def test_a_few_shot_network_with_nan_gives_no_scores_and_no_masks(few_shot, tmp_path, spoilt):
    index, episodes, both, weights = few_shot
    spoilt("restore_few_shot", "head")
    scores, out = tmp_path / "scores.json", tmp_path / "out"
    argv = ["--index", index, "--episodes", episodes, "--features", *both, "--weights", weights, "--scores", scores]
    with raises(check_finite.NotFiniteError, "scl_evaluate, image ", "NaN", "snakemake --forcerun scl_train"):
        main_of("scl_evaluate")([*map(str, argv), "--shots", "[1]"])
    assert not scores.exists()

    supports, queries = tmp_path / "supports", tmp_path / "queries"
    records = Index.read(index)
    record = next(r for r in records.split("train") if r.truth)
    for folder in (supports, queries):
        folder.mkdir()
        shutil.copy(records.root / record.photo, folder)
    (supports / "masks").mkdir()
    shutil.copy(records.root / record.truth, supports / "masks" / f"{record.id}.png")
    argv = ["--support", supports, "--photos", queries, "--weights", weights, "--out", out]
    with raises(check_finite.NotFiniteError, f"few_shot, image {Path(record.photo).name}", "NaN"):
        few_shot_command.main(list(map(str, argv)))
    assert not list(out.rglob("*.png"))


def test_numbers_pass_and_what_is_none_is_counted():
    values = np.float32([1, 2])
    assert check_finite.finite(values, "scores", "s2_cam", "a", "s1_classifier") is values
    with raises(check_finite.NotFiniteError, "s2_cam, image a:", "2 of 3", "scores", "NaN", "--forcerun s1_classifier"):
        check_finite.finite(torch.tensor([1, torch.nan, torch.inf]), "scores", "s2_cam", "a", "s1_classifier")


def test_a_dataset_that_cannot_be_written_to_is_enough(road, tmp_path):
    """Nothing below the dataset's folder is made, changed or touched, by whoever may."""
    copy = tmp_path / "dataset"
    shutil.copytree(road.dataset, copy)
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)

    def looks():
        return {str(p): (p.stat().st_mtime_ns, p.stat().st_mode) for p in (copy, *copy.rglob("*"))}

    before, index = looks(), tmp_path / "index.json"
    boxes, manifest = tmp_path / "box" / "index.json", tmp_path / "s2_cam" / "1-of-1.json"
    weights = road.make("s1_classifier")
    try:
        main_of("data")(["--root", str(copy), "--index", str(index), "--kind", "voc", "--dataset", "toy"])
        main_of("weak_index")(["--index", str(index), "--weak", "box", "--out", str(boxes)])
        cam = ["--index", boxes, "--weights", weights, "--manifest", manifest, "--scales", "[1.0]"]
        main_of("s2_cam")(list(map(str, cam)))
        masks = tmp_path / "s3_masks" / "1-of-1.json"
        main_of("s3_masks")(["--index", str(boxes), "--manifest", str(masks)])
        seeds = [
            "--index",
            boxes,
            "--cam",
            manifest,
            "--masks",
            masks,
            "--manifest",
            tmp_path / "s3_seeds" / "1-of-1.json",
        ]
        main_of("s3_seeds")(list(map(str, seeds)))
        assert looks() == before
        assert len(json.loads(manifest.read_text())["items"]) == 8
    finally:
        for path in (copy, *copy.rglob("*")):
            path.chmod(0o755)
