"""Options of stages that only the thesis's tables use: fewer images, other graphs and layers, the random walk alone."""

import numpy as np
import pytest
import torch

from wsss_stages.a2gnn import pixels
from wsss_stages.data.index import Index
from wsss_stages.nets.grid import Grid
from wsss_stages.shards.manifest import Manifest
from wsss_stages.stages import s5_graph, s6_propagate, s9_evaluate
from wsss_stages.store import contracts

GRID = Grid(8, 0.0)
"""Of a network drawn at random: its nodes begin at the middle of their filters."""
PLAIN = [
    "--objects-share", "0", "--tight-share", "0", "--keep-share", "0", "--classes-in-boxes", "false", "--crf.iterations", "0",
]  # fmt: skip


def made(toy, stage, where, *more):
    """The manifest of a stage with other options."""
    module = {"s5_graph": s5_graph, "s6_propagate": s6_propagate}[stage]
    module.main([*toy.argv(stage, where), *more])
    return Manifest([toy.manifest(stage, root=where)])


def test_some_images_are_the_same_in_every_stage_and_nothing_else_changes(toy, tmp_path):
    graphs = made(toy, "s5_graph", tmp_path, "--images", "3")
    labels = made(toy, "s6_propagate", tmp_path, "--images", "3", "--batch-nodes", "1")
    scores = tmp_path / "scores.json"
    manifests = [str(toy.manifest("s3_seeds")), str(toy.manifest("s6_propagate", root=tmp_path))]
    s9_evaluate.main(
        [
            "--index",
            str(toy.index),
            "--manifests",
            *manifests,
            "--split",
            "train",
            "--scores",
            str(scores),
            "--images",
            "3",
        ]
    )
    assert len(graphs.items) == 3 and set(labels.items) == set(graphs.items)
    assert toy.read(scores)["images"] == 3
    everything = Manifest([toy.manifest("s5_graph")])
    for image in graphs.items:
        a, b = (m.read(image, contracts.EDGES)["E"] for m in (graphs, everything))
        assert np.array_equal(a, b)


def test_some_images_keep_their_order_and_more_of_them_keep_the_first(toy):
    index = Index.read(toy.index)
    three, five = (index.sample("train", n).splits["train"] for n in (3, 5))
    assert set(three) < set(five) and [i for i in index.splits["train"] if i in five] == five
    assert index.sample("train", 0).splits == index.splits


def test_the_random_walk_alone_is_the_walk_of_s5(toy, tmp_path):
    graphs = made(toy, "s5_graph", tmp_path)
    argv = [
        str(toy.manifest("s5_graph", root=tmp_path)) if a == str(toy.manifest("s5_graph")) else a
        for a in toy.argv("s6_propagate", tmp_path)
    ]
    s6_propagate.main([*argv, *PLAIN, "--walk-share", "1"])
    labels = Manifest([toy.manifest("s6_propagate", root=tmp_path)])
    for record in Index.read(toy.index).split("train"):
        P = torch.from_numpy(graphs.read(record.id, contracts.WALK)["P"]).float()
        P = pixels.enlarged(P, GRID, record.height, record.width)
        expected = np.array([0, *record.tags])[pixels.normalised(P).argmax(dim=0)]
        found = labels.read(record.id, contracts.GRAPH_LABEL)["label"]
        assert (found == expected).mean() > 0.999


@pytest.mark.parametrize("change", [["--nodes", "superpixels"], ["--layer", "gcn"], ["--layer", "edges"]])
def test_other_graphs_and_layers_give_other_labels(toy, tmp_path, change):
    quick = ["--images", "2", *PLAIN]
    first = made(toy, "s6_propagate", tmp_path / "a", *quick)
    second = made(toy, "s6_propagate", tmp_path / "b", *quick, *change)
    same = [
        np.array_equal(*(m.read(image, contracts.CONFIDENCE)["confidence"] for m in (first, second)))
        for image in first.items
    ]
    assert not any(same)


def test_edges_by_distance_are_not_those_of_the_affinity_cnn(toy, tmp_path):
    distance = made(toy, "s5_graph", tmp_path, "--edges", "[distance]", "--images", "2")
    affinity = Manifest([toy.manifest("s5_graph")])
    for image in distance.items:
        a, b = (m.read(image, contracts.EDGES)["E"] for m in (distance, affinity))
        assert a.shape == b.shape and 0 < a[a > 0].min() and a.max() == 1 and np.abs(a - b).max() > 0.1
