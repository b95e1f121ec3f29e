"""A GPU too small for the first batch: the stages of many images at once split it, and note its images."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from wsss_stages.a2gnn.propagate import Trained
from wsss_stages.config.options import Cam, Propagate
from wsss_stages.nets import backbones
from wsss_stages.nets.classifier import CamClassifier
from wsss_stages.nets.grid import Grid
from wsss_stages.roads import propagate
from wsss_stages.roads.cams import CamMaker
from wsss_stages.shards.shard import Item, Shard
from wsss_stages.training.memory import NOTE, MicroBatches


class OneBatch(Shard):
    """A shard of so many images of one size, all in one batch, which keeps what is written."""

    def __init__(self, count):
        self.index, self.written, self.notes, self.finished = SimpleNamespace(root=None), {}, {}, False
        self.items = [self.item(number) for number in range(count)]

    def item(self, number):
        photo = np.random.default_rng(number).integers(0, 256, (40, 48, 3), np.uint8)
        item = object.__new__(Item)
        item.record = SimpleNamespace(image=lambda root: photo, tags=[1], height=40, width=48)
        item.id, item._shard = f"image {number}", self
        return item

    def batches(self, *args, **kwargs):
        return [self.items]

    def is_done(self, image_id):
        return False

    def write(self, item, results, notes):
        self.written[item.id], self.notes[item.id] = results, notes

    def finish(self):
        self.finished = True


def cams(shard, holds, monkeypatch):
    """Run s2_cam with a card that holds so many views."""
    torch.manual_seed(0)
    network = CamClassifier(backbones.build("tiny", 8, False), 1).eval()
    forward = network.backbone.forward

    def short(image):
        if len(image) > holds:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(image)

    monkeypatch.setattr(network.backbone, "forward", short)
    CamMaker(network, 8, Cam(scales=[1.0], precision="float32"), "cpu").run(shard)
    assert shard.finished
    return shard


def test_cams_of_a_batch_that_does_not_fit_are_those_of_one_that_does(monkeypatch, capsys):
    whole, parts = cams(OneBatch(5), 10, monkeypatch), cams(OneBatch(5), 5, monkeypatch)
    assert not any(whole.notes.values()) and set(parts.notes) == set(whole.notes)
    assert all(notes == {NOTE: 1} for notes in parts.notes.values())
    for image, found in parts.written.items():
        np.testing.assert_allclose(found["cam"]["cam"], whole.written[image]["cam"]["cam"], atol=2e-3)
    assert "cam.batch_pixels" in capsys.readouterr().err


def propagator(holds, monkeypatch):
    """Return the work of s6_propagate with graphs that are their images' numbers, and a card that holds so many."""
    made = object.__new__(propagate.Propagator)
    made.opt, made.device, made.grid, made.window = Propagate(batch_nodes=10**6), "cpu", Grid.cells(8), []
    made.training = MicroBatches("s6_propagate", made.trained, "propagate.batch_nodes")

    def train(graphs, window, opt):
        if len(graphs) > holds:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return [Trained(torch.full((1, 1, 1), float(graph)), 0, 0) for graph in graphs]

    monkeypatch.setattr(propagate, "train", train)
    monkeypatch.setattr(made, "graph", lambda item, photo: int(item.id.split()[1]))
    monkeypatch.setattr(made, "finished", lambda item, photo, trained: ({"of": trained.logits.numpy()}, {"seen": 1}))
    return made


@pytest.mark.parametrize("holds, noted", [(7, {}), (3, {NOTE: 1})])
def test_graphs_that_do_not_fit_are_trained_in_micro_batches_and_noted(monkeypatch, holds, noted):
    shard = OneBatch(7)
    propagator(holds, monkeypatch).run(shard)
    assert {image: found["of"].item() for image, found in shard.written.items()} == {f"image {n}": n for n in range(7)}
    assert all(notes == {"seen": 1, **noted} for notes in shard.notes.values()) and len(shard.notes) == 7


@pytest.mark.parametrize("gigabytes, nodes", [(0, 1), (8, 15625), (80, 156250)])
def test_batches_of_graphs_fill_half_of_a_cards_free_memory(monkeypatch, gigabytes, nodes):
    monkeypatch.setattr(propagate, "memory_left", lambda device: gigabytes * 1_024_000_000)
    assert propagate.nodes_at_once("cuda") == nodes
