"""Every training after kill -9 and SIGTERM: the same command continues and ends with the same bytes, in two processes too."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import save_file

from tests.messages import lacking, only
from wsss_stages.nets import backbones
from wsss_stages.stages import data, s1_classifier, s6_instance_masks, scl_episodes, scl_features, weak_index

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
TINY = ["--backbone", "tiny", "--crop", 64, "--batch-size", 4, "--workers", 0]
BARE = ["--backbone-weights", "none"]
QUICK = ["s1_classifier", "scl_train"]
"""Two trainings, with and without a shard's maps, prove that a checkpoint is whole; tests/training/test_loop.py has the kinds of jobs."""
TRAININGS = ["s4_affinity", "s4_object_net", "s7_segment", "s7_instances", "rrm_train", "dfr_train"]


def command_lines(toy, root) -> dict[str, list]:
    """A training of every kind, of about ten steps with two of eight images held out, but for --weights."""
    for weak in ("tag", "scribble"):
        weak_index.main(["--index", str(toy.full_index), "--weak", weak, "--out", str(root / f"{weak}.json")])
    instances = ["--index", toy.index, "--labels", "truth", "--instances", root / "instances.json"]
    s6_instance_masks.main([str(a) for a in instances])
    box, seeds = ["--index", toy.index], ["--seeds-manifests", toy.manifest("s3_seeds"), "--classifier", toy.classifier]
    small = ["--batch-size", 4, "--workers", 0]
    held = ["--held-out", 0.25, "--grade-every", 2, "--epochs", 9]
    rare = ["--repeat-below", 0.9]
    detector = ["--width", 16, "--hidden", 32, "--mask-layers", 1, "--proposals", 40, "--samples", 16]
    return {
        "s1_classifier": [*box, *TINY, *held, *rare],
        "s4_affinity": [*box, *seeds, *small, "--crop", 64, "--radius", 2, *held],
        "s4_object_net": [*box, "--masks", toy.manifest("s3_masks"), "--classifier", toy.classifier, *small, "--crop", 64, "--width", 16, *held[:4], "--epochs", 3],
        "s7_segment": [*box, *TINY, *BARE, "--labels", "truth", "--head-channels", 16, *held, *rare],
        "s7_instances": [*box, *TINY, *BARE, "--instances", root / "instances.json", *detector, *held],
        "rrm_train": ["--index", root / "tag.json", *TINY, "--channels", 16, "--class-epochs", 2, "--scales", [1.0],
                      "--crf.iterations", 2, *held],
        "dfr_train": ["--index", root / "scribble.json", *TINY, *BARE, "--channels", 8, "--features", 8, "--radius", 2,
                      "--accumulate", 2, *held],
        "scl_train": few_shot(root),
    }  # fmt: skip


def few_shot(root) -> list:
    """A command line of scl_train, and what it reads."""
    index, episodes, features = (
        root / "index.json",
        root / "episodes.json",
        root / "scl_features" / "train" / "1-of-1.json",
    )
    scenes = ["--kind", "scenes", "--scenes-train", 12, "--scenes-val", 8, "--root", root / "dataset"]
    drawn = [
        "--shots",
        1,
        "--test-pairs",
        4,
        "--test-seeds",
        1,
        "--train-pairs",
        40,
        "--held-out",
        0.3,
        "--held-out-pairs",
        4,
    ]
    for stage, more in (
        (data, scenes),
        (scl_episodes, ["--fold", 1, "--episodes", episodes, "--min-pixels", 150, *drawn]),
        (scl_features, ["--split", "train", "--manifest", features, "--backbone", "tiny", "--side", 64]),
    ):
        stage.main(["--index", str(index), *map(str, more)])
    return [
        "--index", index, "--episodes", episodes, "--features", features, "--backbone", "tiny", "--channels", 16,
        "--epochs", 2, "--workers", 0,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def interrupted(request, toy, tmp_path_factory):
    """Folder with whole/STAGE and often/STAGE of the trainings that are asked for, and the exit codes of the runs."""
    root = tmp_path_factory.mktemp("interrupted")
    asked = {item.callspec.params["stage"] for item in request.session.items if "interrupted" in item.fixturenames}
    plan = {
        stage: {
            "argv": [str(a) for a in argv],
            **{name: str(root / name / stage / "weights.safetensors") for name in ("whole", "often")},
        }
        for stage, argv in command_lines(toy, root).items()
        if stage in asked
    }
    (root / "plan.json").write_text(json.dumps(plan))
    script = Path(__file__).with_name("interrupted.py")
    done = subprocess.run([sys.executable, script, root / "plan.json"], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return root, json.loads((root / "ends.json").read_text()), done.stderr


@pytest.mark.parametrize("stage", [*QUICK, *(pytest.param(stage, marks=pytest.mark.slow) for stage in TRAININGS)])
def test_a_training_that_was_killed_and_stopped_ends_with_the_same_bytes(interrupted, stage):
    root, ends, messages = interrupted
    assert ends[stage] == [0, -9, 143, -9, -9, 0], messages
    whole, often = root / "whole" / stage, root / "often" / stage
    curve = json.loads((whole / "curve.json").read_text())
    assert len(curve["steps"]) >= 8
    grades = [known["grade"] for known in curve["grades"]]
    assert len(grades) >= 3 and all(0 <= grade <= 1 for grade in grades) and curve["held_out"] >= 2
    assert curve["best_step"] == curve["grades"][grades.index(max(grades))]["step"]
    for name in ("weights.safetensors", "curve.json"):
        assert (often / name).read_bytes() == (whole / name).read_bytes()
    left = {path.name for path in often.iterdir() if not path.name.endswith(".partial")}
    assert left == {path.name for path in whole.iterdir()}
    assert only(messages.splitlines(), f"{stage}: ", "SIGTERM", f"{often}/checkpoint.pt")
    assert sum(not lacking(line, f"{stage}: ", "resumed") for line in messages.splitlines()) == 4


@pytest.mark.slow
def test_two_processes_train_a_classifier_with_frozen_norms_as_one(toy, tmp_path):
    save_file(backbones.build("tiny", 8, False).network.state_dict(), tmp_path / "tiny.safetensors")
    argv = [
        "--index", toy.index, *TINY, "--epochs", 2, "--backbone-weights", tmp_path / "tiny.safetensors", "--device", "cpu",
        "--weights",
    ]  # fmt: skip
    one, two = ([*map(str, argv), str(tmp_path / name / "weights.safetensors")] for name in ("one", "two"))
    s1_classifier.main(one)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    done = subprocess.run(
        [*launch, "wsss_stages.stages.s1_classifier", *two], env=ENVIRONMENT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    curves = [json.loads((tmp_path / name / "curve.json").read_text())["steps"] for name in ("one", "two")]
    losses = [[step["classification"] for step in steps] for steps in curves]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5) and len(losses[0]) == 4
    assert sorted(p.name for p in (tmp_path / "two").iterdir()) == [
        "curve.json",
        "kept",
        "weights.safetensors",
        "weights.safetensors.made.json",
    ]
