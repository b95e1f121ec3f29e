"""What a checkpoint must be to be gone on with, and what is told of others."""

import json

import pytest
import torch

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
    assert "resumed at step 3 of 6" in capsys.readouterr().err


@pytest.mark.parametrize("key", ["parts", "best", "fingerprint"])
def test_a_checkpoint_of_an_older_version_is_told_and_training_starts_afresh(left, capsys, key):
    content = torch.load(left, weights_only=True)
    torch.save({name: value for name, value in content.items() if name != key}, left)
    finish(left)
    told = capsys.readouterr().err
    assert f"s7_segment: {left} is of another version (it lacks {key}); training starts afresh" in told
    assert "resumed" not in told


def test_a_checkpoint_of_another_training_is_told(left, capsys):
    finish(left, fingerprint="b")
    assert "is of another training (other options, images or labels); training starts afresh" in capsys.readouterr().err


def test_a_checkpoint_of_a_network_that_has_changed_since_is_told(left, capsys):
    content = torch.load(left, weights_only=True)
    content["network"]["running_mean"] = content["network"].pop("bias")
    torch.save(content, left)
    finish(left)
    told = capsys.readouterr().err
    assert "of another version of the network (1 tensors missing (bias first), 1 tensors unknown (running_mean" in told
    assert "training starts afresh" in told and "resumed" not in told


@pytest.mark.parametrize(
    "bytes_left, what", [(2000, "a file of torch, or another zip archive, that is cut off"), (0, "an empty file")]
)
def test_a_damaged_checkpoint_is_told(left, capsys, bytes_left, what):
    left.write_bytes(left.read_bytes()[:bytes_left])
    finish(left)
    assert f"checkpoint.pt is damaged (found {what}" in capsys.readouterr().err


def test_code_in_a_checkpoint_is_not_run(left, tmp_path, capsys):
    import pickle

    class Code:
        def __reduce__(self):
            return (open, (str(tmp_path / "run"), "w"))

    left.write_bytes(pickle.dumps(Code(), protocol=2))
    finish(left)
    assert not (tmp_path / "run").exists() and "a pickle with code in it (" in capsys.readouterr().err
