"""Trainings start one process for each of their GPUs; how many they are is no reason to train again."""

import os
import re

import pytest
import yaml

from tests.messages import lacking

pytestmark = pytest.mark.slow

TRAININGS = {
    "s1_classifier", "s4_affinity", "s4_object_net", "s7_segment", "s7_instances", "rrm_train", "dfr_train", "scl_train",
}  # fmt: skip
TARGETS = (
    "results/scenes/box/ours/s7_segment/weights.safetensors",
    "results/scenes/box/ours/s7_instances/weights.safetensors",
    "results/scenes/tag/rrm/rrm_train/weights.safetensors",
    "results/scenes/scribble/dfr/dfr_train/weights.safetensors",
    "results/scenes/scl/fold0/canet/scl_train/weights.safetensors",
)


def starts(output):
    """Return the command that starts each training: as many processes as the job has GPUs among its resources."""
    found = {
        stage: start for start, stage in re.findall(r"^Shell command: (.*?) wsss_stages\.stages\.(\w+) ", output, re.M)
    }
    return {stage: found[stage] for stage in TRAININGS & found.keys()}


@pytest.mark.parametrize("gpus, start", [(1, "python -m"), (2, "torchrun --standalone --nproc-per-node 2 -m")])
def test_every_training_has_a_process_for_each_gpu(project, gpus, start):
    settings = ("--resources", f"gpu={gpus}", "--config", "device=cuda", f"gpus_per_training={gpus}")
    output = project.snakemake("-n", "-p", *TARGETS, *settings)
    assert starts(output) == dict.fromkeys(TRAININGS, f"exec {start}")
    others = [line for line in output.splitlines() if "stages.s2_cam" in line]
    assert others and all(line.startswith("Shell command: python -m wsss_stages.stages.s2_cam") for line in others)


def test_without_a_gpu_there_is_one_process(project):
    output = project.snakemake("-n", "-p", TARGETS[2], "--config", "device=cpu", "gpus_per_training=4")
    assert starts(output) == {"rrm_train": "exec python -m"}


def test_a_profile_with_another_number_is_reported_before_anything_runs(project):
    config = ("--resources", "gpu=2", "--config", "device=cuda", "gpus_per_training=2")
    output = project.snakemake("-n", TARGETS[2], "--set-resources", "rrm_train:gpu=1", *config, fails=True)
    assert not lacking(output, "WorkflowError ... gpus_per_training ... 2 ... gpu=1")
    output = project.snakemake("-n", TARGETS[2], *config[2:], fails=True)  # the default profile's one GPU
    assert not lacking(output, "WorkflowError ... gpus_per_training ... 2", "--resources ... gpu=2")
    output = project.snakemake("-n", "-p", TARGETS[2], "--set-resources", "rrm_train:gpu=0", *config)
    assert starts(output) == {"rrm_train": "exec python -m"}


def test_another_number_of_gpus_is_no_reason_to_train_again(project, tmp_path_factory, monkeypatch):
    pretended = tmp_path_factory.mktemp("bin") / "nvidia-smi"
    pretended.write_text("#!/bin/sh\n")
    pretended.chmod(0o755)
    monkeypatch.setenv("PATH", f"{pretended.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    target = "results/scenes/s1_classifier/weights.safetensors"
    output = project.snakemake("-p", target, "--resources", "gpu=2", "--config", "gpus_per_training=2")
    assert starts(output)["s1_classifier"] == "exec torchrun --standalone --nproc-per-node 2 -m"
    assert (project.folder / target).exists()
    output = project.snakemake("-n", target)
    assert "Nothing to be done" in output


@pytest.mark.parametrize("device, threads", [("cuda", 3), ("cpu", 8)])
def test_a_training_on_a_gpu_leaves_cores_to_others(project, device, threads):
    project.pretend('case "$*" in *s1_classifier*) echo "$OMP_NUM_THREADS" > threads ;; esac')
    demo = yaml.safe_load(project.demo.read_text())
    demo["classifier"]["workers"] = 2
    project.demo.write_text(yaml.safe_dump(demo))
    target = "results/scenes/s1_classifier/weights.safetensors"
    project.snakemake(target, "--cores", "8", "--config", f"device={device}")
    assert int((project.folder / "threads").read_text()) == threads
