"""Checkpoints that a training continues from, and the reports on others."""

import json

import pytest
import torch

from tests.messages import lacking
from wsss_stages import training
from wsss_stages.config.options import Training
from wsss_stages.training import checkpoints


class KilledError(Exception):
    pass


def job(kill_at=None, fingerprint="a"):
    torch.manual_seed(0)
    network = torch.nn.Linear(2, 1)
    calls = []

    def loss(batch):
        calls.append(1)
        if len(calls) == kill_at:
            raise KilledError
        return {"square": network(batch["x"]).square().mean()}

    options = Training(batch_size=2, lr=0.01, workers=0, precision="float32")
    groups = [(list(network.parameters()), 1.0)]
    sample = lambda item, rng: {"x": rng.random(2, dtype="float32")}  # noqa: E731
    return training.Job("s7_segment", network, groups, list(range(4)), str, sample, loss, 3, options, fingerprint)


@pytest.fixture
def left(tmp_path, monkeypatch):
    """A checkpoint of the fourth step."""
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    with pytest.raises(KilledError):
        training.fit(job(kill_at=4), tmp_path / "weights.safetensors", {}, "cpu")
    return tmp_path / "checkpoint.pt"


def finish(left, **changes):
    training.fit(job(**changes), left.with_name("weights.safetensors"), {}, "cpu")
    steps = json.loads(left.with_name("curve.json").read_text())["steps"]
    assert [step["step"] for step in steps] == list(range(6)) and not left.exists()


def test_a_checkpoint_is_gone_on_with(left, capsys):
    finish(left)
    assert not lacking(capsys.readouterr().err, "s7_segment: ", "resumed", "3 of 6")


@pytest.mark.parametrize("key", ["parts", "best", "fingerprint"])
def test_a_checkpoint_of_an_older_version_is_reported_and_training_starts_afresh(left, capsys, key):
    content = torch.load(left, weights_only=True)
    torch.save({name: value for name, value in content.items() if name != key}, left)
    finish(left)
    output = capsys.readouterr().err
    assert not lacking(output, f"s7_segment: {left} ", "version", f"lacks {key}", "afresh") and lacking(
        output, "3 of 6"
    )


def test_a_checkpoint_of_another_training_is_reported(left, capsys):
    finish(left, fingerprint="b")
    output = capsys.readouterr().err
    assert not lacking(output, f"s7_segment: {left} ", "options", "images", "labels", "afresh") and lacking(
        output, "3 of 6"
    )


def test_a_checkpoint_of_a_network_that_has_changed_since_is_reported(left, capsys):
    content = torch.load(left, weights_only=True)
    content["network"]["running_mean"] = content["network"].pop("bias")
    torch.save(content, left)
    finish(left)
    output = capsys.readouterr().err
    words = ("version of the network", "missing ... bias ... unknown ... running_mean", "afresh")
    assert not lacking(output, f"s7_segment: {left} ", *words) and lacking(output, "3 of 6")


@pytest.mark.parametrize("bytes_left, what", [(2000, "torch ... cut off ... 2000 bytes"), (0, "empty")])
def test_a_damaged_checkpoint_is_reported(left, capsys, bytes_left, what):
    left.write_bytes(left.read_bytes()[:bytes_left])
    finish(left)
    assert not lacking(capsys.readouterr().err, f"s7_segment: {left} ", "damaged", what, "afresh")


def test_code_in_a_checkpoint_is_not_run(left, tmp_path, capsys):
    import pickle

    class Code:
        def __reduce__(self):
            return (open, (str(tmp_path / "run"), "w"))

    left.write_bytes(pickle.dumps(Code(), protocol=2))
    finish(left)
    assert not (tmp_path / "run").exists()
    assert not lacking(capsys.readouterr().err, f"s7_segment: {left} ", "pickle ... code ... .open)")
