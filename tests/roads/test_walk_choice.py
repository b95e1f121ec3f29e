"""Walks over a graph of 4 x 6 nodes whose right half has its seeds hidden."""

from pathlib import Path

import numpy as np
import torch

from wsss_stages.a2gnn.node_net import NodeNet
from wsss_stages.config.options import Affinity, Graph
from wsss_stages.data.index import Index
from wsss_stages.data.record import Record
from wsss_stages.nets.grid import Grid
from wsss_stages.roads.walk_choice import IMAGES, WalkChoice, asked_for, to_choose_by
from wsss_stages.store import contracts
from wsss_stages.training.graph_networks import GraphNetworks

CAT = 2


class Blind(NodeNet):
    """A network without layers, of which a node is a pixel."""

    grid = Grid(1, 0.0)

    def __init__(self):
        torch.nn.Module.__init__(self)


def choice(**options) -> WalkChoice:
    index = Index("toy", Path("none"), ["background", "dog", "cat"], {}, {})
    opt = Graph(walk_powers=[1.0], walk_steps=[0, 20], **options)
    networks = GraphNetworks(opt, Blind(), Blind(), 1, "square", ("",), "s4_affinity")
    return WalkChoice(networks, index, opt, "cpu")


def walked(known: torch.Tensor | None = None) -> dict:
    """Return the agreement of both walks from a cat in the left half; the hidden seeds are cats too."""
    made = choice()
    start = torch.zeros(2, 4, 6)
    start[1, :, :3] = 1
    asked = torch.zeros(4, 6, dtype=torch.bool)
    asked[:, 3:] = True
    E = torch.ones(9, 4, 6)
    made.compare(start, E, torch.ones(4, 6, dtype=torch.int64), asked, [0, CAT], known)
    return made.counts


def test_a_walk_finds_hidden_seeds_and_one_of_no_step_finds_background():
    counts = walked()
    assert counts[1.0, 0][CAT].tolist() == [12, 0, 0] and counts[1.0, 20][CAT].tolist() == [0, 0, 12]


def test_a_walk_is_bound_to_boxes():
    known = torch.ones(2, 4, 6, dtype=torch.bool)
    known[1, :, 3:] = False
    assert walked(known)[1.0, 20][CAT].tolist() == [12, 0, 0]


def test_the_best_walk_of_all_images_is_chosen():
    made = choice()
    made.counts = {(1.0, 0): np.diag([1, 0, 0]) + np.eye(3)[::-1].astype(int), (1.0, 20): np.diag([3, 2, 1])}
    made.across, made.inside = np.array([1.0, 4]), np.array([3.0, 4])
    found = made.chosen()
    assert (found["power"], found["steps"]) == (1.0, 20)
    assert [one["steps"] for one in found["agreements"]] == [0, 20] and found["agreements"][1]["miou"] == 1
    assert found["outlines"]["across"] == 0.25 and found["outlines"]["inside"] == 0.75


def test_boxes_bind_only_where_they_are_around_every_object():
    boxed = Record("a", "", "", 4, 6, 4, 6, boxes=[[0, 0, 3, 4]], box_classes=[CAT], tags=[CAT], kinds=["box"])
    known = choice().known(boxed)
    assert known.shape == (2, 4, 6) and known[1, :, :3].all() and not known[1, :, 3:].any()
    assert choice().known(Record("a", "", "", 4, 6, 4, 6, tags=[CAT])) is None


def test_a_walk_from_cams_is_asked_for_the_confident_seeds():
    assert asked_for(Graph(seeds="cam")) is contracts.SEEDS
    assert asked_for(Graph(seeds="grabcut")) is contracts.GRABCUT


def test_images_that_were_not_learned_from_are_chosen_if_there_are_any():
    every = [Record(str(n), "", "", 4, 6, 4, 6) for n in range(300)]
    held, true = to_choose_by(every, Affinity(held_out=0.1))
    assert true and len(held) == 30
    assert to_choose_by(every, None) == (held, True), "without an affinity CNN the same images"
    some, false = to_choose_by(every, Affinity(held_out=0.0))
    assert not false and len(some) == IMAGES
