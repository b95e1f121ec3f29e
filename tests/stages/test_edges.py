"""Graphs without an affinity CNN, other ways to spread seeds, and hidden seeds found again, in a toy run."""

import numpy as np
import pytest
import torch

from tests.messages import raises
from wsss_stages.a2gnn import pixels
from wsss_stages.a2gnn.edge_crf import edge_crf
from wsss_stages.a2gnn.nodes import rows_of
from wsss_stages.data.index import Index
from wsss_stages.nets.grid import Grid, labels_at_nodes
from wsss_stages.pairwise.windows import offsets
from wsss_stages.shards.manifest import Manifest
from wsss_stages.stages import s5_graph, s5_walk, s6_agreement, s6_propagate
from wsss_stages.store import contracts

PLAIN = [
    "--objects-share", "0", "--tight-share", "0", "--keep-share", "0", "--classes-in-boxes", "false", "--crf.iterations", "0",
]  # fmt: skip
GRID, WINDOW = Grid(8, 0.0), offsets(2, "square")


def without_affinity(toy, stage, root, *more):
    """The command line of a stage with the classifier's weights in the place of the affinity CNN's."""
    argv = toy.argv(stage, root)
    at = argv.index("--affinity")
    return [*argv[:at], *argv[at + 2 :], "--classifier", str(toy.classifier), *more]


@pytest.fixture(scope="module")
def colour(toy, tmp_path_factory):
    """Two images with graphs by colour, of the classifier's nodes: the folder, and the command line of s6_propagate on them."""
    root = tmp_path_factory.mktemp("colour")
    s5_graph.main(without_affinity(toy, "s5_graph", root, "--edges", "[colour]", "--radius", "2", "--images", "2"))
    return root


def propagated(toy, graph, root, *more):
    """Run s6_propagate on other graphs; its manifest."""
    argv = without_affinity(toy, "s6_propagate", root, "--images", "2", *PLAIN, *more)
    argv[argv.index("--graph") + 1] = str(graph)
    s6_propagate.main(argv)
    return Manifest([toy.manifest("s6_propagate", root=root)])


def test_graphs_by_colour_need_no_affinity_cnn_and_nor_do_the_labels_on_them(toy, colour, tmp_path):
    graph = toy.manifest("s5_graph", root=colour)
    made = Manifest([graph])
    assert made.options[0]["edges"] == ["colour"] and made.options[0]["offset"] == 0.0
    labels = propagated(toy, graph, tmp_path)
    for record in (Index.read(toy.index).records[image] for image in made.items):
        E = made.read(record.id, contracts.EDGES)["E"]
        assert E.shape == (25, *labels_at_nodes(np.zeros((record.height, record.width)), GRID).shape) and E.max() == 1
        shown = np.unique(labels.read(record.id, contracts.GRAPH_LABEL)["label"])
        assert set(shown.tolist()) <= {0, *record.tags} and (E > 0).mean() > 0.2


def test_edges_say_which_weights_they_lack(toy, tmp_path):
    argv = without_affinity(toy, "s5_graph", tmp_path)
    with raises(ValueError, "--edges ['affinity']", "no --affinity", "s4_affinity", "[colour]"):
        s5_graph.main(argv)
    with raises(ValueError, "--edges ['features']", "no --classifier", "s1_classifier", "--feature-backbone"):
        s5_graph.main([*toy.argv("s5_graph", tmp_path), "--edges", "[features]"])
    with raises(ValueError, "--feature-backbone tiny", "no --feature-weights", "'package'"):
        s5_graph.main([*argv, "--edges", "[features]", "--feature-backbone", "tiny"])


def test_features_may_be_of_another_backbone_beside_the_affinity_cnn(toy, tmp_path):
    own = ["--feature-backbone", "tiny", "--feature-weights", "none", "--images", "1"]
    s5_graph.main([*toy.argv("s5_graph", tmp_path), "--edges", "[affinity, features]", *own])
    (image,) = (both := Manifest([toy.manifest("s5_graph", root=tmp_path)])).items
    alone = Manifest([toy.manifest("s5_graph")]).read(image, contracts.EDGES)["E"]
    E = both.read(image, contracts.EDGES)["E"]
    assert E.shape == alone.shape and (E <= alone).all() and (E < alone).any()


def test_a_crf_on_the_edges_makes_the_labels_where_it_is_asked_for(toy, tmp_path):
    argv = [*toy.argv("s6_propagate", tmp_path), *PLAIN, "--propagator", "crf", "--images", "2"]
    s6_propagate.main(argv)
    labels, graphs = Manifest([toy.manifest("s6_propagate", root=tmp_path)]), Manifest([toy.manifest("s5_graph")])
    for record in (Index.read(toy.index).records[image] for image in labels.items):
        classes = [0, *record.tags]
        seeds = Manifest([toy.manifest("s3_seeds")]).read(record.id, contracts.CHECKED)["label"]
        P = pixels.sure(rows_of(labels_at_nodes(seeds, GRID), classes), len(classes))
        E = torch.from_numpy(graphs.read(record.id, contracts.EDGES)["E"]).float()
        P = pixels.enlarged(edge_crf(P, E**8, WINDOW, 10.0, 10), GRID, record.height, record.width)
        found = labels.read(record.id, contracts.GRAPH_LABEL)["label"]
        assert (found == np.array(classes)[P.argmax(dim=0)]).mean() > 0.999


def test_no_propagator_leaves_the_seeds_as_they_are(toy, tmp_path):
    s6_propagate.main([*toy.argv("s6_propagate", tmp_path), *PLAIN, "--propagator", "none", "--images", "2"])
    labels = Manifest([toy.manifest("s6_propagate", root=tmp_path)])
    for image in labels.items:
        seeds = Manifest([toy.manifest("s3_seeds")]).read(image, contracts.CHECKED)["label"]
        known = seeds != 255
        assert (labels.read(image, contracts.GRAPH_LABEL)["label"][known] == seeds[known]).all()


def asked(toy, graph, root, *more):
    """Run s6_agreement on graphs; what it writes."""
    file = root / "agreement.json"
    s6_agreement.main(
        [
            "--index", str(toy.index), "--seeds-manifests", str(toy.manifest("s3_seeds")), "--graphs", str(graph),
            "--classifier", str(toy.classifier), "--affinity", str(toy.affinity), "--agreement", str(file), *PLAIN, *more,
        ]
    )  # fmt: skip
    return toy.read(file)


def test_hidden_seeds_are_found_by_what_spreads_the_others_and_not_without(toy, colour, tmp_path):
    graph = toy.manifest("s5_graph", root=colour)
    nothing = asked(toy, graph, tmp_path, "--propagator", "none")
    by_crf = asked(toy, graph, tmp_path, "--propagator", "crf")
    walked = asked(toy, graph, tmp_path, "--walk-share", "1")
    mious = [one["rows"]["graph_label"]["miou"] for one in (nothing, by_crf, walked)]
    assert nothing["images"] == 2 and 0 < mious[0] < 0.5 < mious[1] <= 1 and mious[2] > mious[0]
    seeds = {one["rows"]["graph_label"]["seeds"] for one in (nothing, by_crf, walked)}
    assert len(seeds) == 1 and seeds.pop() > 50, "all ways are asked for the same seeds"


def test_soft_masks_which_saw_the_hidden_seeds_do_not_help_to_find_them(toy, colour, tmp_path):
    graph = toy.manifest("s5_graph", root=colour)
    alone = asked(toy, graph, tmp_path, "--propagator", "none")
    helped = asked(toy, graph, tmp_path, "--propagator", "none", "--objects-share", "0.9", "--grabcut-share", "0.9")
    assert helped["rows"] == alone["rows"]


def test_a_walk_is_chosen_for_the_edges_at_hand(toy, tmp_path):
    s5_walk.main(without_affinity(toy, "s5_walk", tmp_path, "--edges", "[colour]", "--radius", "2"))
    chosen, other = (toy.read(root / "s5_walk" / "walk.json") for root in (tmp_path, toy.root))
    assert chosen["outlines"] != other["outlines"] and len(chosen["agreements"]) == 4
