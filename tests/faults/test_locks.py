"""Two runs on one output: the second fails at once and names the holder; the lock goes with its process."""

import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from tests.messages import only, raises
from wsss_stages import training
from wsss_stages.config.options import Training
from wsss_stages.data.index import Index, Record
from wsss_stages.shards.shard import Shard
from wsss_stages.stages import cli
from wsss_stages.store import contracts, locks

HOLD = """
import sys
import time
from pathlib import Path
from wsss_stages.store import locks
locks.take(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other_run():
    """Another process that holds an output's lock until its input ends or it is killed."""
    started = []

    def start(output):
        command = [sys.executable, "-c", HOLD, str(output)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def shard(manifest):
    """Return a shard of one image, whose label is not made yet."""
    record = Record("a", "a.png", 64 * "0", 2, 3, 2, 3, tags=[1], kinds=["tag"])
    index = Index("made", manifest.parent, ["background", "cat"], {"train": ["a"]}, {"a": record})
    return Shard("s3_seeds", (contracts.SEEDS,), index, "train", manifest, {}, [])


def finish(run):
    for item in run.todo():
        item.write({"seeds": np.zeros((2, 3), np.uint8)})
    run.finish()


def job(stop=False):
    network = torch.nn.Linear(2, 1)

    def loss(batch):
        if stop:
            raise KeyError("a fault of ours")
        return {"square": network(batch["x"]).square().mean()}

    def sample(item, rng):
        return {"x": np.ones(2, np.float32)}

    options = Training(batch_size=1, workers=0, precision="float32")
    return training.Job(
        "s1_classifier", network, [(list(network.parameters()), 1.0)], [0], str, sample, loss, 1, options, ""
    )


@pytest.mark.parametrize("look", [lambda run: run.todo(), lambda run: run.batches(lambda record: 1, 1)])
def test_the_second_run_of_a_shard_is_refused_with_the_holder(tmp_path, other_run, look):
    manifest = tmp_path / "s3_seeds" / "1-of-1.json"
    process = other_run(manifest)
    year = time.strftime("%Y-", time.gmtime())
    with raises(
        locks.InUseError, f"{manifest} ", f"{manifest}.lock", f"process {process.pid}", socket.gethostname(), year
    ):
        look(shard(manifest))
    assert sorted(p.name for p in manifest.parent.iterdir()) == ["1-of-1.json.lock"]


def test_shards_of_one_stage_do_not_hinder_one_another(tmp_path, other_run):
    other_run(tmp_path / "1-of-2.json")
    finish(shard(tmp_path / "2-of-2.json"))
    assert (tmp_path / "2-of-2.json").exists()


def test_a_lock_goes_with_its_process_even_by_kill_9(tmp_path, other_run):
    manifest = tmp_path / "1-of-1.json"
    process = other_run(manifest)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert locks._lock_of(manifest).exists()
    finish(shard(manifest))
    assert manifest.exists() and not locks._lock_of(manifest).exists()


def test_a_run_that_ends_takes_its_lock_away(tmp_path, other_run):
    process = other_run(tmp_path / "1-of-1.json")
    process.communicate("")
    assert process.returncode == 0 and not list(tmp_path.iterdir())


def test_after_a_failure_the_same_process_may_try_again(tmp_path):
    manifest = tmp_path / "1-of-1.json"
    shard(manifest).todo()  # and then something fails
    finish(shard(manifest))
    assert not locks._lock_of(manifest).exists()


def test_the_second_training_is_refused(tmp_path, other_run):
    weights = tmp_path / "s1_classifier" / "weights.safetensors"
    process = other_run(weights)
    with raises(locks.InUseError, str(weights), f"process {process.pid}"):
        training.fit(job(), weights, {}, "cpu")
    assert not weights.exists()


@pytest.mark.parametrize("fails", [False, True])
def test_a_training_gives_its_lock_back(tmp_path, fails):
    weights = tmp_path / "weights.safetensors"
    if fails:
        with pytest.raises(KeyError):
            training.fit(job(stop=True), weights, {}, "cpu")
    else:
        training.fit(job(), weights, {}, "cpu")
    assert weights.exists() != fails and not list(tmp_path.glob("*.lock"))


def test_of_several_processes_of_a_training_the_first_holds_the_lock(tmp_path, other_run, monkeypatch):
    other_run(tmp_path / "weights.safetensors")
    monkeypatch.setenv("RANK", "1")
    with locks.held(tmp_path / "weights.safetensors"):
        pass


def test_a_command_line_tells_it_in_one_paragraph(tmp_path, other_run, monkeypatch):
    manifest = tmp_path / "1-of-1.json"
    process = other_run(manifest)
    monkeypatch.setattr(sys, "argv", ["s3_seeds"])
    with raises(SystemExit, f"process {process.pid}") as caught:
        cli.run(lambda: finish(shard(manifest)))
    assert str(caught.value).startswith(f"error: {manifest} ") and "\n" not in str(caught.value)


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_reported_once(tmp_path, monkeypatch, capsys, code):
    def flock(file, operation):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", flock)
    monkeypatch.setattr(locks, "_without", [])
    for name in ("1-of-2.json", "2-of-2.json"):
        finish(shard(tmp_path / name))
    assert only(capsys.readouterr().err.splitlines(), str(tmp_path), "locks", os.strerror(code))
    assert not list(tmp_path.glob("*.lock"))


def test_a_lock_whose_file_was_just_taken_away_is_taken_anew(tmp_path, monkeypatch, other_run):
    """The holder released the lock between our opening and our locking, so the file that we hold is no longer at the path."""
    output, real, calls = tmp_path / "1-of-1.json", fcntl.flock, []

    def flock(file, operation):
        calls.append(1)
        if len(calls) == 1:
            locks._lock_of(output).unlink()
        real(file, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    locks.take(output)
    assert len(calls) == 2 and f'"pid": {os.getpid()}' in locks._lock_of(output).read_text()
    locks.release(output)
