"""Layers that begin to learn late: frozen until then, with a schedule and a warm-up of their own."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from wsss_stages import training
from wsss_stages.config.options import Training
from wsss_stages.nets import backbones
from wsss_stages.training import checkpoints, layers, schedule

OPTIONS = Training(batch_size=2, lr=0.01, workers=0, precision="float32", ema=0.0, warm_up=2)


class Net(nn.Module):
    """A trunk that begins late, with a norm and a dropout of its own, and a head."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))
        self.head = nn.Sequential(nn.Dropout(0.5), nn.Conv2d(4, 1, 1))

    def forward(self, x):
        return self.head(self.trunk(x))


def job(begins, each=lambda network: None, optimizer="adamw", kill_at=None):
    torch.manual_seed(0)
    network = Net()
    calls = []

    def loss(batch):
        each(network)
        calls.append(1)
        if len(calls) == kill_at:
            raise KeyboardInterrupt
        return {"square": (network(batch["x"]) - 1).square().mean()}

    sample = lambda item, rng: {"x": rng.random((3, 6, 6), np.float32)}  # noqa: E731
    groups = [(list(network.trunk.parameters()), 1.0, begins), (list(network.head.parameters()), 10.0)]
    options = OPTIONS.model_copy(update={"optimizer": optimizer})
    return training.Job("s7_segment", network, groups, list(range(8)), str, sample, loss, 3, options, "a")


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_trunk_is_frozen_and_at_rest_until_it_begins(tmp_path, optimizer):
    seen = []

    def each(network):
        trunk = torch.cat([tensor.flatten().float() for tensor in network.trunk.state_dict().values()]).detach().clone()
        seen.append((trunk, network.trunk.training, network.head.training, network.trunk[0].weight.requires_grad))

    training.fit(job(1 / 3, each, optimizer), tmp_path / "w.safetensors", {}, "cpu")
    assert len(seen) == 12
    assert all(torch.equal(seen[0][0], seen[step][0]) for step in range(5)) and not torch.equal(seen[4][0], seen[5][0])
    assert [entry[1:] for entry in seen] == [(False, True, False)] * 4 + [(True, True, True)] * 8


def test_schedule_and_warm_up_count_from_the_beginning():
    made = job(1 / 3)
    optimizer = schedule.optimizer(made)
    for step in range(24):
        schedule.set_rates(optimizer, step, 24, made.options)
        trunk, head = (group["lr"] for group in optimizer.param_groups)
        assert head == pytest.approx(0.1 * (1 - step / 24) ** 0.9 * min(1, (step + 1) / 2))
        late = step - 4
        assert trunk == (pytest.approx(0.01 * (1 - late / 20) ** 0.9 * min(1, (late + 1) / 2)) if late >= 0 else 0)


def test_killed_while_frozen_and_after_it_ends_with_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    whole, killed = tmp_path / "whole" / "w.safetensors", tmp_path / "killed" / "w.safetensors"
    training.fit(job(1 / 3), whole, {}, "cpu")
    for kill_at in (3, 5):
        with pytest.raises(KeyboardInterrupt):
            training.fit(job(1 / 3, kill_at=kill_at), killed, {}, "cpu")
    training.fit(job(1 / 3), killed, {}, "cpu")
    assert whole.read_bytes() == killed.read_bytes()


class Segmenter(nn.Module):
    def __init__(self, pretrained):
        super().__init__()
        self.backbone, self.head = backbones.build("tiny", 16, pretrained), nn.Conv2d(128, 2, 1)

    def new_parameters(self):
        return list(self.head.parameters())


@pytest.mark.parametrize("pretrained, begins", [(True, 0.25), (False, 0.0)])
def test_only_pretrained_layers_are_frozen_at_first(pretrained, begins):
    network = Segmenter(pretrained)
    first = next(network.backbone.parameters()).requires_grad_(False)
    options = OPTIONS.model_copy(update={"frozen_share": 0.25, "head_lr_factor": 7.0})
    old, new = layers.old_and_new(network, options)
    assert (old.factor, old.begins, new.factor, new.begins) == (1.0, begins, 7.0, 0.0)
    assert {id(p) for p in new.parameters} == {id(p) for p in network.head.parameters()}
    assert {id(p) for p in old.parameters} == {id(p) for p in network.backbone.parameters()} - {id(first)}


@pytest.mark.parametrize(
    "done, begins, ends, share",
    [
        (0.0, 0.25, 0.75, 0),
        (0.25, 0.25, 0.75, 0),
        (0.4, 0.25, 0.75, 0.3),
        (0.75, 0.25, 0.75, 1),
        (1.0, 0.25, 0.75, 1),
        (0.0, 0.0, 0.0, 1),
        (0.49, 0.5, 0.5, 0),
        (0.5, 0.5, 0.5, 1),
    ],
)
def test_a_weight_grows_between_two_shares_of_the_training(done, begins, ends, share):
    assert schedule.ramp(done, begins, ends) == pytest.approx(share)


def test_a_loss_knows_how_much_is_done_and_what_is_shown_is_not_learned_from(tmp_path):
    batches, files = [], []
    for shown in (True, False):
        made = job(0.0)
        loss = made.loss

        def with_share(batch, loss=loss, shown=shown):
            batches.append(batch["done"])
            return loss(batch) | ({"lost": 0.75} if shown else {})

        made.loss, made.shown = with_share, ("lost",) if shown else ()
        files.append(tmp_path / str(shown) / "w.safetensors")
        training.fit(made, files[-1], {}, "cpu")
    assert batches[:12] == [step / 12 for step in range(12)]
    assert files[0].read_bytes() == files[1].read_bytes()
    curves = [json.loads(file.with_name("curve.json").read_text()) for file in files]
    assert curves[0]["shown"] == ["lost"] and all(step["lost"] == 0.75 for step in curves[0]["steps"])
    assert "shown" not in curves[1] and not any("lost" in step for step in curves[1]["steps"])
