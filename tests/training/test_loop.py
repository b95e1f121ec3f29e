"""The training loop: exact resume, schedule, and what it says when it cannot go on."""

import json

import numpy as np
import pytest
import torch

from tests.messages import raises
from wsss_stages import training
from wsss_stages.config.options import Training
from wsss_stages.training import checkpoints

OPTIONS = Training(batch_size=2, lr=0.01, workers=0, precision="float32", ema=0.0)


class KilledError(Exception):
    pass


def job(items=6, epochs=4, kill_at=None, fingerprint="a", poison=None, options=OPTIONS):
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Dropout(0.5), torch.nn.Conv2d(4, 1, 1)
    )
    calls = []

    def loss(batch):
        calls.append(1)
        if len(calls) == kill_at:
            raise KilledError
        value = network(batch["x"]).square().mean()
        return {"square": value * float("nan") if len(calls) == poison else value}

    def sample(item, rng):
        return {"x": rng.random((3, 6, 6), dtype=np.float32) + item}

    parameters = list(network.parameters())
    groups = [(parameters[:2], 1.0), (parameters[2:], 10.0)]
    return training.Job(
        "s1_classifier", network, groups, list(range(items)), str, sample, loss, epochs, options, fingerprint
    )


def later(network):
    """The first layer begins to learn after half of the steps."""
    parameters = list(network.parameters())
    return [(parameters[:2], 1.0, 0.5), (parameters[2:], 10.0)]


KINDS = {
    "sgd": ({"optimizer": "sgd"}, {}),
    "adamw, norms undecayed, warm-up": ({"optimizer": "adamw", "warm_up": 3}, {"undecayed": training.without_decay}),
    "average, layers that begin later": ({"clip_norm": 0.0, "ema": 0.9}, {"groups": later}),
    "batches in parts": ({"ema": 0.5}, {"parts": lambda network: 2}),
}
"""What sets the stages' trainings apart for a checkpoint, beside what they hold out (test_grading.py): options, fields of the job."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_training_ends_with_the_same_bytes(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    changes, fields = KINDS[kind]

    def fit(path, kill_at=None):
        one = job(kill_at=kill_at, options=OPTIONS.model_copy(update=changes))
        for name, value in fields.items():
            setattr(one, name, value(one.network))
        training.fit(one, path, {"a": 1}, "cpu")

    whole, killed = tmp_path / "whole" / "weights.safetensors", tmp_path / "killed" / "weights.safetensors"
    fit(whole)
    for kill_at in (4, 5):
        with pytest.raises(KilledError):
            fit(killed, kill_at)
        assert not killed.exists() and killed.with_name("checkpoint.pt").exists()
    fit(killed)
    assert whole.read_bytes() == killed.read_bytes()
    assert whole.with_name("curve.json").read_text() == killed.with_name("curve.json").read_text()
    assert not killed.with_name("checkpoint.pt").exists()


def test_threads_change_no_byte(tmp_path):
    for workers in (0, 2):
        options = OPTIONS.model_copy(update={"workers": workers})
        training.fit(job(options=options), tmp_path / str(workers) / "weights.safetensors", {}, "cpu")
    for name in ("weights.safetensors", "curve.json"):
        assert (tmp_path / "0" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_a_checkpoint_of_another_job_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    path = tmp_path / "weights.safetensors"
    with pytest.raises(KilledError):
        training.fit(job(kill_at=4, fingerprint="other"), path, {}, "cpu")
    training.fit(job(), path, {}, "cpu")
    assert len(json.loads(path.with_name("curve.json").read_text())["steps"]) == 12


def test_a_damaged_checkpoint_is_a_clean_start(tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(b"half")
    training.fit(job(), tmp_path / "weights.safetensors", {}, "cpu")
    assert (tmp_path / "weights.safetensors").exists()


def test_learning_rate_is_poly(tmp_path):
    training.fit(job(), tmp_path / "weights.safetensors", {}, "cpu")
    rates = [s["lr"] for s in json.loads((tmp_path / "curve.json").read_text())["steps"]]
    assert rates == pytest.approx([0.01 * (1 - step / 12) ** 0.9 for step in range(12)])


@pytest.mark.parametrize(("epochs", "warm_up"), [(14, 4), (7, 2), (2, 1)])
def test_a_warm_up_begins_small_and_takes_at_most_a_tenth_of_the_steps(tmp_path, epochs, warm_up):
    options = OPTIONS.model_copy(update={"warm_up": 4})
    training.fit(job(epochs=epochs, options=options), tmp_path / "weights.safetensors", {}, "cpu")
    rates = [s["lr"] for s in json.loads((tmp_path / "curve.json").read_text())["steps"]]
    steps = 3 * epochs
    expected = [0.01 * (1 - step / steps) ** 0.9 * min(1, (step + 1) / warm_up) for step in range(steps)]
    assert rates == pytest.approx(expected)


def test_adamw_moves_every_parameter_by_the_learning_rate_at_first(tmp_path):
    options = OPTIONS.model_copy(update={"optimizer": "adamw", "weight_decay": 0.0, "batch_size": 6, "clip_norm": 1e9})
    one = job(epochs=1, options=options)
    one.loss = lambda batch, network=one.network: {"sum": sum(p.sum() for p in network.parameters())}
    before = [p.detach().clone() for p in one.network.parameters()]
    training.fit(one, tmp_path / "weights.safetensors", {}, "cpu")
    for number, (p, b) in enumerate(zip(one.network.parameters(), before, strict=True)):
        torch.testing.assert_close(b - p, torch.full_like(p, 0.01 if number < 2 else 0.1), rtol=1e-4, atol=1e-6)


def test_a_clipped_step_is_as_long_as_the_clip(tmp_path):
    for clip in (0.5, 1e-3):
        options = OPTIONS.model_copy(update={"clip_norm": clip, "weight_decay": 0.0, "batch_size": 6})
        one = job(epochs=1, options=options)
        one.groups = [(list(one.network.parameters()), 1.0)]
        one.loss = lambda batch, network=one.network: {"steep": 1e3 * network(batch["x"]).mean()}
        before = [parameter.detach().clone() for parameter in one.network.parameters()]
        training.fit(one, tmp_path / f"{clip}" / "weights.safetensors", {}, "cpu")
        moved = torch.cat([(p - b).flatten() for p, b in zip(one.network.parameters(), before, strict=True)])
        assert moved.norm().item() == pytest.approx(0.01 * clip, rel=1e-3)


def test_a_clip_of_nothing_is_no_clip(tmp_path):
    moved = []
    for clip in (0.0, 1e9):
        one = job(epochs=1, options=OPTIONS.model_copy(update={"clip_norm": clip}))
        one.loss = lambda batch, network=one.network: {"steep": 1e3 * network(batch["x"]).mean()}
        training.fit(one, tmp_path / f"{clip}" / "weights.safetensors", {}, "cpu")
        moved.append(torch.cat([parameter.detach().flatten() for parameter in one.network.parameters()]))
    assert torch.equal(*moved) and moved[0].norm() > 10


def test_a_loss_that_is_nan_stops_with_step_and_images(tmp_path):
    with raises(training.TrainingError, "loss", "'square': nan}", "step 2 of 12", "images "):
        training.fit(job(poison=3), tmp_path / "weights.safetensors", {}, "cpu")
    assert not (tmp_path / "weights.safetensors").exists()


class Transformer(torch.nn.Module):
    """A network with one parameter of every kind."""

    def __init__(self):
        super().__init__()
        self.norm, self.linear, self.batch = torch.nn.LayerNorm(3), torch.nn.Linear(3, 1), torch.nn.BatchNorm2d(3)
        self.relative_position_bias_table = torch.nn.Parameter(torch.ones(4, 2))


def test_norms_and_positions_are_not_decayed(tmp_path):
    network = Transformer()
    names = {id(p): n for n, p in network.named_parameters()}
    undecayed = training.without_decay(network)
    assert {names[id(p)] for p in undecayed} == {
        "norm.weight", "norm.bias", "batch.weight", "batch.bias", "relative_position_bias_table",
    }  # fmt: skip
    with torch.no_grad():
        for p in network.parameters():
            p.fill_(1.0)
    options = OPTIONS.model_copy(update={"optimizer": "adamw", "weight_decay": 0.5, "batch_size": 6})
    one = job(epochs=1, options=options)
    one.network, one.groups, one.undecayed = network, [(list(network.parameters()), 2.0)], undecayed
    one.loss = lambda batch: {"none": 0 * sum(p.sum() for p in network.parameters())}
    training.fit(one, tmp_path / "weights.safetensors", {}, "cpu")
    for name, p in network.named_parameters():
        wanted = 1 - 0.5 * 2 * 0.01 if name.startswith("linear") else 1.0
        torch.testing.assert_close(p.detach(), torch.full_like(p, wanted))


@pytest.mark.parametrize("parts", [2, 3])
def test_parts_of_a_batch_add_up_to_its_gradient(tmp_path, parts):
    found = {}
    for number in (1, parts):
        options = OPTIONS.model_copy(update={"batch_size": 5})
        one = job(items=10, epochs=2, options=options)
        one.network[1].eval()
        one.network[2].p = 0.0  # what remains is a mean over items
        one.network[1].train = lambda mode=True, norm=one.network[1]: norm
        one.parts = number
        path = tmp_path / f"{number}" / "weights.safetensors"
        training.fit(one, path, {}, "cpu")
        curve = json.loads(path.with_name("curve.json").read_text())["steps"]
        found[number] = [step["square"] for step in curve], [p.detach() for p in one.network.parameters()]
    assert found[parts][0] == pytest.approx(found[1][0], rel=1e-5)
    for p, q in zip(found[1][1], found[parts][1], strict=True):
        torch.testing.assert_close(p, q)
