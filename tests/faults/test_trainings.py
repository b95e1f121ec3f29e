"""Faults of a training: SIGTERM, kill -9, NaN, short memory, a process that dies; the message of each, and the files that are left."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.messages import lacking, only, raises
from wsss_stages import training
from wsss_stages.store import artifacts, seals
from wsss_stages.training import checkpoints, memory

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parents[1] / "training" / "shared.py"
LAUNCH = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


@pytest.fixture(scope="module")
def shared():
    spec = importlib.util.spec_from_file_location("shared", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def before_step(job, number, act):
    """Let something happen in the forward pass of a step, counted from 0."""
    calls, loss = [], job.loss

    def acting(batch):
        calls.append(1)
        if len(calls) == number + 1:
            act()
        return loss(batch)

    job.loss = acting
    return job


def read(folder):
    return (folder / "weights.safetensors").read_bytes(), (folder / "curve.json").read_bytes()


def fit(job, folder):
    training.fit(job, folder / "weights.safetensors", {"stage": job.stage}, "cpu")
    return read(folder)


@pytest.mark.parametrize("network", ["plain", "norm"])
def test_sigterm_leaves_a_checkpoint_and_the_same_command_ends_with_the_same_bytes(shared, tmp_path, network, capsys):
    whole = fit(shared.job(network), tmp_path / "whole")
    job = before_step(shared.job(network), 3, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(SystemExit) as left:
        fit(job, tmp_path / "left")
    assert left.value.code == 143 and [p.name for p in (tmp_path / "left").iterdir()] == ["checkpoint.pt"]
    assert not lacking(capsys.readouterr().err, "s1_classifier: ", "SIGTERM", "checkpoint.pt", "4 of 8 steps")
    assert fit(shared.job(network), tmp_path / "left") == whole
    assert not lacking(capsys.readouterr().err, "s1_classifier: ", "resumed", "4 of 8")


@pytest.mark.parametrize("kept", [True, False])
def test_sigterm_in_the_last_step_does_not_keep_a_training_from_its_end(shared, tmp_path, capsys, kept):
    """Where SLURM ran out of time and Snakemake deletes the outputs, the same command writes them again."""
    whole = fit(shared.job("plain"), tmp_path / "whole")
    job = before_step(shared.job("plain"), 7, lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert fit(job, tmp_path / "left") == whole
    for name in ("weights.safetensors", "curve.json"):
        (tmp_path / "left" / name).unlink()
    if not kept:  # as on a file system without hard links
        shutil.rmtree(tmp_path / "left" / "kept")
    capsys.readouterr()
    assert (
        training.fit(shared.job("plain"), tmp_path / "left" / "weights.safetensors", {"stage": "s1_classifier"}, "cpu")
        > 0
    )
    assert read(tmp_path / "left") == whole
    shown = ["unchanged", str(tmp_path / "left" / "weights.safetensors")] if kept else ["resumed", "8 of 8"]
    assert not lacking(capsys.readouterr().err, "s1_classifier: ", *shown)
    assert not (tmp_path / "left" / "checkpoint.pt").exists()


def test_sigterm_again_while_a_step_still_runs_changes_nothing(shared, tmp_path):
    """SLURM sends it again however long the step of the first signal takes: here the clock moves on by an hour."""

    def twice():
        os.kill(os.getpid(), signal.SIGTERM)
        monkey.setattr(time, "monotonic", lambda clock=time.monotonic: clock() + 3600)
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.MonkeyPatch.context() as monkey, pytest.raises(SystemExit) as left:
        fit(before_step(shared.job("plain"), 3, twice), tmp_path)
    assert left.value.code == 143 and [p.name for p in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_sigterm_to_one_of_two_processes_stops_both_and_one_process_may_go_on(shared, tmp_path):
    driver = tmp_path / "driver.py"
    driver.write_text(
        f"import os, sys\nsys.path.insert(0, {str(SCRIPT.parent)!r})\nimport shared\nfrom wsss_stages import training\n"
        "from pathlib import Path\njob, calls = shared.job('norm'), []\nloss = job.loss\n"
        "def acting(batch):\n    calls.append(1)\n"
        "    if len(calls) == 4 and os.environ['RANK'] == '1':\n        os.kill(os.getpid(), 15)\n    return loss(batch)\n"
        "job.loss = acting\ntraining.fit(job, Path(sys.argv[1]) / 'weights.safetensors', {}, 'cpu')\n"
    )
    done = subprocess.run([*LAUNCH, driver, tmp_path / "left"], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode and not lacking(done.stderr, "exitcode  : 143", "4 of 8 steps")
    assert [p.name for p in (tmp_path / "left").iterdir()] == ["checkpoint.pt"]
    fit(shared.job("norm"), tmp_path / "left")
    fit(shared.job("norm"), tmp_path / "whole")
    left, whole = (load_file(tmp_path / name / "weights.safetensors") for name in ("left", "whole"))
    for name, tensor in whole.items():
        torch.testing.assert_close(left[name], tensor, rtol=1e-4, atol=1e-5)


def test_nan_in_the_share_of_one_process_stops_all_with_its_images(tmp_path):
    driver = tmp_path / "driver.py"
    driver.write_text(
        f"import os, sys\nsys.path.insert(0, {str(SCRIPT.parent)!r})\nimport shared\nfrom wsss_stages import training\n"
        "from pathlib import Path\nfrom wsss_stages.stages import cli\njob = shared.job('norm')\nloss = job.loss\n"
        "def spoiled(batch):\n    made = loss(batch)\n"
        "    return {'squared': made['squared'] * float('nan')} if os.environ['RANK'] == '1' else made\n"
        "job.loss = spoiled\ncli.run(lambda: training.fit(job, Path(sys.argv[1]) / 'weights.safetensors', {}, 'cpu'))\n"
    )
    done = subprocess.run([*LAUNCH, driver, tmp_path / "left"], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode
    assert not lacking(done.stderr, "error: s1_classifier: ... loss ... {'squared': nan} ... step 0 of 8, images ")
    assert not list((tmp_path / "left").iterdir())


def test_a_gradient_that_is_not_finite_stops_with_step_and_images(shared, tmp_path):
    job = shared.job("plain")
    loss = job.loss
    job.loss = lambda batch: loss(batch) | {"root": (next(job.network.parameters()) * 0).square().sum().sqrt()}
    with raises(training.TrainingError, "s1_classifier: ", "gradient", "step 0 of 8", "images "):
        fit(job, tmp_path)
    assert not list(tmp_path.iterdir())


def test_nan_in_trained_weights_is_refused_with_the_tensor(shared, tmp_path):
    job = shared.job("plain")
    with torch.no_grad():
        job.network.unused[1] = float("nan")
    with raises(training.TrainingError, "weights.safetensors", "unused", "NaN", "1 of 5"):
        fit(job, tmp_path)
    assert not list(tmp_path.iterdir())


def test_nan_in_a_weights_file_is_refused_with_the_tensor(shared, tmp_path):
    path, network = tmp_path / "w.safetensors", torch.nn.Linear(2, 3)
    training.save_weights(path, network, {"stage": "x"})
    state = load_file(path)
    state["bias"][2] = float("inf")
    save_file(state, path, {"provenance": json.dumps({"version": 1, artifacts.SEAL: seals.BLANK})})
    seals.close(path)
    with raises(artifacts.ContractError, "w.safetensors", "Linear", "bias", "NaN"):
        training.load_weights(path, network)


@pytest.mark.parametrize("content, what", [(b"<html>", "HTML"), (b"", "empty"), (b"PK\x03\x04", "zip")])
def test_another_file_in_place_of_weights_is_described(tmp_path, content, what):
    (tmp_path / "w.safetensors").write_bytes(content)
    for read_it in (training.read_provenance, lambda path: training.load_weights(path, torch.nn.Linear(2, 3))):
        with raises(artifacts.ContractError, "w.safetensors", what, "weights.safetensors", "Run the stage"):
            read_it(tmp_path / "w.safetensors")


def short(job, step, most):
    """Batches of more than so many images do not fit from a step on, whose running statistics have begun to change."""
    loss, calls = job.loss, []

    def fails(batch):
        made = loss(batch)
        calls.append(1)
        if len(calls) > step and len(batch["id"]) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return made

    job.loss = fails
    return job


def test_short_memory_halves_the_batch_records_it_and_learns_the_same(shared, tmp_path, capsys):
    fit(shared.job("plain"), tmp_path / "whole")
    fit(short(shared.job("plain"), 2, 1), tmp_path / "short")
    written = json.loads((tmp_path / "short" / "curve.json").read_text())
    assert written["short_of_memory"] == [{"step": 2, "parts": 2}, {"step": 2, "parts": 4}, {"step": 2, "parts": 5}]
    assert (
        training.read_provenance(tmp_path / "short" / "weights.safetensors")["short_of_memory"]
        == written["short_of_memory"]
    )
    assert only(capsys.readouterr().err.splitlines(), "s1_classifier: ", "memory", "step 2", "5 images", "4 parts")
    whole = json.loads((tmp_path / "whole" / "curve.json").read_text())
    assert "short_of_memory" not in whole
    assert [s["squared"] for s in written["steps"]] == pytest.approx([s["squared"] for s in whole["steps"]], rel=1e-5)


def test_a_pass_that_did_not_fit_leaves_nothing_in_the_norms(shared, tmp_path):
    """The result from the first step on is that of a job that asked for two parts."""
    fit(shared.job("norm", parts=2), tmp_path / "parts")
    fit(short(shared.job("norm"), 0, 3), tmp_path / "short")
    parts, halved = (load_file(tmp_path / name / "weights.safetensors") for name in ("parts", "short"))
    assert all(torch.equal(parts[name], halved[name]) for name in parts)


def test_a_killed_training_goes_on_in_as_many_parts_as_fitted(shared, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    whole = fit(short(shared.job("plain"), 2, 3), tmp_path / "whole")
    job = short(shared.job("plain"), 2, 3)
    with pytest.raises(KeyboardInterrupt):
        fit(before_step(job, 8, lambda: (_ for _ in ()).throw(KeyboardInterrupt)), tmp_path / "left")
    assert fit(short(shared.job("plain"), 0, 3), tmp_path / "left") == whole


@pytest.mark.gpu
def test_a_gpu_that_is_out_of_memory_halves_the_batch_and_learns_the_same(shared, tmp_path, capsys):
    """Two images with 64 maps of 510 x 510 nodes, twice forward and twice backward, fit into 0.8 GB, and 4 of the 8 do not."""
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 64, 3), torch.nn.ReLU(), torch.nn.Conv2d(64, 1, 1))
    start = {name: tensor.clone() for name, tensor in network.state_dict().items()}

    def curve(folder):
        network.load_state_dict(start)
        job = shared.job("plain", batch=8)
        job.network, job.groups = network, [(list(network.parameters()), 1.0)]
        job.sample = lambda item, rng: {
            "x": rng.random((3, 512, 512), dtype=np.float32),
            "wanted": np.float32([[[item]]]),
        }
        job.loss = lambda batch: {"squared": (network(batch["x"]) - batch["wanted"]).square().mean()}
        training.fit(job, folder / "weights.safetensors", {}, "cuda")
        return json.loads((folder / "curve.json").read_text())

    whole = curve(tmp_path / "whole")
    memory.release()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 0.8e9) / total)
    try:
        made = curve(tmp_path / "short")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert "short_of_memory" not in whole
    assert [entry["step"] for entry in made["short_of_memory"]] == [0] * len(made["short_of_memory"])
    assert made["short_of_memory"][-1]["parts"] in (4, 8)
    assert only(capsys.readouterr().err.splitlines(), "s1_classifier: ", "memory", "step 0", "8 images", "2 parts")
    assert [s["squared"] for s in made["steps"]] == pytest.approx([s["squared"] for s in whole["steps"]], rel=1e-3)


def test_an_image_that_does_not_fit_alone_is_reported(shared, tmp_path):
    with raises(memory.TooLargeError, "s1_classifier: ", "memory", "step 1", "5 images", "5 parts", "batch_size"):
        fit(short(shared.job("plain"), 1, 0), tmp_path)
