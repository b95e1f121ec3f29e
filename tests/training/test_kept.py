"""The very same training again is no training."""

import os

import numpy as np
import pytest
import torch

from tests.messages import lacking
from wsss_stages import training
from wsss_stages.config.options import Training
from wsss_stages.store import provenance
from wsss_stages.training import kept

FILES = ("weights.safetensors", "curve.json")


def job(steps, fingerprint="a"):
    """A training that counts its steps."""
    torch.manual_seed(0)
    network = torch.nn.Conv2d(3, 1, 3)

    def loss(batch):
        steps.append(1)
        return {"square": network(batch["x"]).square().mean()}

    def sample(item, rng):
        return {"x": rng.random((3, 6, 6), dtype=np.float32)}

    options = Training(batch_size=2, lr=0.01, workers=0, precision="float32")
    groups = [(list(network.parameters()), 1.0)]
    return training.Job("s1_classifier", network, groups, [0, 1, 2, 3], str, sample, loss, 2, options, fingerprint)


def run(folder, fingerprint="a"):
    """Steps that are trained, once what Snakemake deletes before a rule runs again is deleted; and the seconds of a step."""
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    steps = []
    seconds = training.fit(job(steps, fingerprint), folder / "weights.safetensors", {"a": 1}, "cpu")
    return len(steps), seconds


def bytes_of(folder):
    return [(folder / name).read_bytes() for name in FILES]


@pytest.fixture
def folder(tmp_path):
    run(tmp_path)
    return tmp_path


def test_the_same_training_again_takes_no_step_and_leaves_the_same_bytes(folder, tmp_path_factory, capsys):
    before = bytes_of(folder)
    steps, seconds = run(folder)
    assert steps == 0 and seconds > 0 and bytes_of(folder) == before
    assert not lacking(capsys.readouterr().err, "unchanged", str(folder / "weights.safetensors"))
    assert not list(folder.glob("*.partial"))
    other = tmp_path_factory.mktemp("other")
    assert run(other)[0] == 4 and bytes_of(other) == before


def test_outputs_that_are_still_there_are_left_and_a_checkpoint_of_the_end_goes(folder):
    (folder / "checkpoint.pt").touch()
    steps = []
    training.fit(job(steps), folder / "weights.safetensors", {}, "cpu")
    assert steps == [] and sorted(p.name for p in folder.iterdir()) == ["curve.json", "kept", "weights.safetensors"]


def test_another_training_trains_and_is_kept_in_its_place(folder):
    assert run(folder, "b")[0] == 4
    assert run(folder, "b")[0] == 0
    assert run(folder, "a")[0] == 4


@pytest.mark.parametrize("name", [*FILES, kept.NOTE])
def test_what_is_damaged_is_trained_again(folder, name):
    path = folder / "kept" / name
    path.write_bytes(path.read_bytes()[:-9] + b"x" + path.read_bytes()[-8:])
    assert run(folder)[0] == 4


def test_other_code_or_libraries_train_again(folder, monkeypatch):
    code = provenance.code()
    monkeypatch.setattr(provenance, "code", lambda: code | {"sources": "others"})
    assert run(folder)[0] == 4
    assert run(folder)[0] == 0
    monkeypatch.setattr(provenance, "libraries", lambda: {"torch": "0"})
    assert run(folder)[0] == 4


def test_without_hard_links_nothing_is_kept_and_the_training_ends_all_the_same(tmp_path, monkeypatch):
    def link(*_):
        raise PermissionError

    monkeypatch.setattr(os, "link", link)
    assert run(tmp_path)[0] == 4
    assert run(tmp_path)[0] == 4
