"""SCL's frozen maps, and training with a choice of weights."""

import json

import numpy as np
import pytest
import torch

from wsss_stages.config import options
from wsss_stages.data.few_shot.episode_pools import Drawer
from wsss_stages.data.few_shot.squares import image_on_square
from wsss_stages.data.index import Index
from wsss_stages.nets import backbones
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import contracts
from wsss_stages.training import checkpoints, networks


def test_maps_are_the_frozen_backbones_in_half_precision(run):
    index, manifest = Index.read(run.index), Manifest([run.manifest("train")])
    backbone, _ = networks.build_frozen("tiny", 8, "none")
    record = index.split("train")[0]
    square = torch.from_numpy(image_on_square(record.image(index.root), 64))[None]
    with torch.no_grad():
        *shallow, deep = backbone(backbones.normalise(square))
    found = {c.name: manifest.read(record.id, c)["F"] for c in (contracts.MIDDLE, contracts.DEEP)}
    torch.testing.assert_close(torch.from_numpy(found["deep"]).float().permute(2, 0, 1), deep[0], rtol=1e-3, atol=1e-3)
    middle = torch.cat(shallow, dim=1)[0]
    torch.testing.assert_close(torch.from_numpy(found["middle"]).float().permute(2, 0, 1), middle, rtol=1e-3, atol=1e-3)


def test_the_best_epoch_on_held_out_base_classes_is_kept(run):
    curve = json.loads(run.weights["canet"].with_name("curve.json").read_text())
    grades = [known["grade"] for known in curve["grades"]]
    assert len(grades) >= 2 and curve["best_step"] == curve["grades"][int(np.argmax(grades))]["step"]
    assert set(curve["steps"][0]) == {"step", "lr", "query", "s1", "s2"}
    inner = {"query, inner", "s1, inner", "s2, inner"}
    assert inner < set(json.loads(run.weights["pfenet"].with_name("curve.json").read_text())["steps"][0])


def test_a_killed_training_ends_with_the_same_bytes(run, tmp_path, monkeypatch):
    class KilledError(Exception):
        pass

    def killing(*arguments, save=checkpoints.save):
        save(*arguments)
        if arguments[4].step == 12:  # in the second epoch, after a grade
            raise KilledError

    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    again = tmp_path / "weights.safetensors"
    with monkeypatch.context() as context, pytest.raises(KilledError):
        context.setattr(checkpoints, "save", killing)
        run.train("canet", again)
    run.train("canet", again)
    assert again.read_bytes() == run.weights["canet"].read_bytes()
    assert again.with_name("curve.json").read_bytes() == run.weights["canet"].with_name("curve.json").read_bytes()


def test_the_baseline_has_no_support_branch(run):
    network, known = networks.restore_few_shot(run.weights["baseline"], options.SclEvaluate(rounds=4))
    assert not network.head.support_branch and network.head.rounds == 4 and known["novel"] == ["brick"]
    assert set(json.loads(run.weights["baseline"].with_name("curve.json").read_text())["steps"][0]) == {
        "step",
        "lr",
        "query",
    }


def test_every_epoch_draws_episodes_of_its_own_and_the_same_again(run, tmp_path, monkeypatch):
    drawn = []

    def draw(self, rng, draw=Drawer.draw):
        made = draw(self, rng)
        drawn.append(made)
        return made

    monkeypatch.setattr(Drawer, "draw", draw)
    for name in ("a", "b"):
        run.train("baseline", tmp_path / name / "weights.safetensors")
    first, again = drawn[: len(drawn) // 2], drawn[len(drawn) // 2 :]
    assert first == again and len(first) == 6 + 2 * 40  # held out, two epochs
    epochs = {tuple(first[6:46]), tuple(first[46:])}
    assert len(epochs) == 2 and len(set(first[6:])) > 40
