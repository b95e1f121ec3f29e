"""Artifacts that each variant and each row of a table makes anew, and those that it shares: the workflow asks these functions for every path."""

from pathlib import Path

import pytest

from tests.messages import raises
from wsss_stages.config import dag, tables, variants

CONFIG = Path(__file__).parents[2] / "config.yaml"
TABLES = tables.read()[1]
LEARNED = {"s7_segment", "s8_predict", "s9_evaluate", "s6_instance_masks", "s7_instances", "s8_detect"}
"""Stages after the pseudo labels."""
CHAPTER_4 = ("table_4_4", "table_4_5", "table_4_6", "table_4_7", "fig_4_3", "table_dfr", "table_dots")


def load(*values):
    return variants.load([CONFIG], list(values))


@pytest.fixture(scope="module")
def seeds():
    """The demo's configuration, whose tables have two seeds and four images."""
    return load("tables={base: ours, seeds: 2, images: 4}")


def own(config, variant, weak=None):
    """Return the stages whose artifacts a variant does not take from its base."""
    return {stage for stage in dag.STAGES if dag.home(config, variant, stage, weak) == variant}


def scored(config, *names):
    """Return the variants of all rows and seeds of tables, each with its kind of weak label."""
    rows = [(table, row) for table in map(TABLES.get, names) for row in table.rows]
    return [
        (variant, table.weak_of(row) or config["weak"])
        for table, row in rows
        for variant in table.scored(row, config["tables"])
    ]


def homes(config, stage, *names):
    """Return where the artifacts of a stage of all rows of tables lie, by kind of weak label and variant."""
    return {(weak, dag.home(config, variant, stage, weak)) for variant, weak in scored(config, *names)}


@pytest.mark.parametrize("weak", ["box", "scribble", "point", "tag", "mixed"])
def test_soft_masks_of_boxes_are_made_where_there_are_boxes(weak):
    config = load(f"weak={weak}")
    objects = ["s5_object_masks"] if weak in ("box", "mixed") else []
    assert dag.label_stages(config, "ours") == ["s3_seeds", *objects, "s5_graph", "s6_propagate"]
    assert ("s4_object_net" in dag.trainings(config, "ours")) == bool(objects)
    assert dag.chooses_walk(config, "ours") and not dag.chooses_walk(config, "thesis")


@pytest.mark.parametrize(
    "variant, stages",
    [
        ("a2gnn", {"s6_propagate"} | LEARNED),
        ("sparse", {"s5_walk", "s5_graph", "s6_propagate"} | LEARNED),
        ("truth", LEARNED),
    ],
)
def test_a_variant_makes_what_it_changes_and_what_reads_it(variant, stages):
    config = load("variants={sparse: {base: ours, graph: {threshold: 0.1}}}")
    assert own(config, variant) == stages


@pytest.mark.parametrize("variant, maker", [("ours", "s6_propagate"), ("truth", None), ("grabcut", "s3_seeds")])
def test_segmenter_and_detector_read_what_their_labels_are_of(variant, maker):
    config = load()
    for stage in ("s6_instance_masks", "s7_segment"):
        assert dag.reads(config, variant, stage) == ([maker] if maker else [])


def test_edges_without_an_affinity_cnn_train_none_and_read_the_seeds_themselves():
    config = load("variants={plain: {base: ours, graph: {edges: [features, colour]}}}")
    assert "s4_affinity" in dag.trainings(config, "ours")
    assert "s4_affinity" not in dag.trainings(config, "plain")
    assert dag.reads(config, "ours", "s5_graph") == ["s4_affinity"]
    assert dag.reads(config, "plain", "s5_graph") == dag.reads(config, "plain", "s5_walk") == ["s3_seeds"]


def test_a_frozen_backbone_of_its_own_takes_the_weights_of_the_run_unless_they_are_a_file_of_another():
    graph = "variants={plain: {base: ours, graph: {edges: [features], feature_backbone: resnet18}}}"
    assert variants.section(load(graph), "graph", "plain")["feature_weights"] == "none", "as the demo's"
    assert variants.section(load(graph), "graph", "ours")["feature_weights"] == ""
    with raises(variants.ConfigError, "graph.feature_backbone", "'mine.pth'", "graph.feature_weights"):
        variants.section(load(graph, "backbone_weights=mine.pth"), "graph", "plain")


@pytest.mark.parametrize("weak", ["box", "scribble", "point", "tag", "mixed"])
def test_masks_are_made_of_boxes_or_by_a_source_that_needs_none(weak):
    config = load(f"weak={weak}")
    boxed = weak in ("box", "mixed")
    assert dag.uses_masks(config, "ours") == ("s3_masks" in dag.reads(config, "ours", "s3_seeds")) == boxed
    assert dag.uses_masks(config, "sam") and dag.reads(config, "sam", "s3_seeds") == ["s2_cam", "s3_masks"]
    assert not dag.masks_need_cams(config, "ours")
    assert dag.masks_need_cams(config, "sam") == (weak in ("point", "tag", "mixed"))
    assert variants.section(config, "segment", "sam")["labels"] == (
        "seeds" if weak in ("scribble", "point") else "grabcut"
    )


@pytest.mark.parametrize("variant", ["grabcut", "sam", "cam"])
def test_a_segmenter_on_labels_of_the_seeds_needs_no_graphs(variant):
    config = load()
    assert dag.label_stages(config, variant) == ["s3_seeds"]
    assert dag.trainings(config, variant) == ["s7_segment"]


def test_another_source_of_masks_remakes_all_after_it_and_its_lower_bound_shares_it():
    config = load()
    road = {
        "s3_masks",
        "s3_seeds",
        "s4_object_net",
        "s4_affinity",
        "s5_object_masks",
        "s5_walk",
        "s5_graph",
        "s6_propagate",
    }
    assert own(config, "sam_ours") == road | LEARNED and own(config, "sam") == LEARNED
    assert {stage for stage in road if dag.home(config, "sam", stage) != "sam_ours"} == set()
    assert not dag.uses_masks(load("weak=scribble"), "dfr")


@pytest.mark.parametrize("preset", ["thesis", "released"])
def test_presets_begin_at_the_seeds_and_need_no_soft_masks(preset):
    config = load()
    assert "s3_seeds" in own(config, preset)
    assert not {"s5_object_masks", "s4_object_net"} & {
        *dag.label_stages(config, preset),
        *dag.trainings(config, preset),
    }


@pytest.mark.parametrize("names, network", [(("table_2_4",), "rrm_train"), (CHAPTER_4, "dfr_train")])
def test_tables_of_predictions_train_one_network_for_each_row_and_seed(seeds, names, network):
    rows = scored(seeds, *names)
    assert {dag.predicting(seeds, *row) for row in rows} == {network}
    assert len(homes(seeds, network, *names)) == len(homes(seeds, "s8_predict", *names)) == len(set(rows)) > 10
    assert {TABLES[name].split for name in names} == {"val"}


def test_scribbles_become_shorter_down_the_rows_of_their_figure(seeds):
    shares = [variants.section(seeds, "dfr", *row)["scribble_share"] for row in scored(seeds, "fig_4_3")]
    assert shares == [share for share in (1.0, 0.8, 0.5, 0.3, 0.0) for _ in range(2)]


def test_the_two_steps_of_chapter_2_need_no_graph_networks(seeds):
    rows = scored(seeds, "table_rrm")
    assert {"s7_segment", "rrm_train"} <= {dag.predicting(seeds, *row) for row in rows}
    assert all("s6_propagate" not in dag.label_stages(seeds, *row) for row in rows)


def test_rows_of_chapter_3_share_what_they_do_not_change(seeds):
    assert len(homes(seeds, "s6_propagate", "table_3_5")) == len(scored(seeds, "table_3_5")) == 12
    assert homes(seeds, "s5_graph", "table_3_5") == {("box", f"ours.full.{seed}") for seed in range(2)}
    assert homes(seeds, "s4_affinity", "table_3_5") == {("box", "ours"), ("box", "ours.full.1")}
    assert homes(seeds, "s3_seeds", "table_3_5", "table_3_8", "fig_3_7") == {("box", "ours")}
    trained = homes(seeds, "s4_affinity", "table_3_8", "fig_3_7")
    assert ("box", "ours") in trained and len(trained) < len(scored(seeds, "table_3_8", "fig_3_7"))
