"""Seven plans of the whole workflow, from nothing: which jobs a default run, tags, scribbles, episodes and tables start.

What each variant and row shares with others, tests/config/test_roads.py asks the functions that say so.
"""

import re

import yaml

from tests.workflow.jobs import planned

FIRST = {"data": 1, "weak_index": 1}
CAMS = {"s1_classifier": 1, "s2_cam": 1, "s3_seeds": 1}
LAST = {"s9_review": 1, "report": 1}


def dry_run(project, *targets, **config):
    """Return the jobs of a dry run, and all that it prints."""
    (project.folder / "more.yaml").write_text(yaml.safe_dump(config))
    output = project.snakemake("-n", *targets, "--configfile", "more.yaml")
    return planned(output), output


def test_a_default_run_goes_from_photographs_to_report_and_shards_what_goes_image_by_image(project):
    jobs, _ = dry_run(project, shards=3)
    sharded = {"s2_cam", "s3_masks", "s3_seeds", "s5_graph", "s5_object_masks", "s6_propagate", "s8_predict"}
    trained = {"s1_classifier", "s4_affinity", "s4_object_net", "s7_segment"}
    once = {"data", "weak_index", *trained, "s5_walk", "s9_review", "report"}
    assert jobs == dict.fromkeys(sharded, 3) | dict.fromkeys(once, 1) | {"s9_evaluate": 2}


def test_masks_alone_need_no_segmenter_scores_or_report(project):
    jobs, _ = dry_run(project, "masks")
    sharded = dict.fromkeys(("s2_cam", "s3_masks", "s3_seeds", "s5_graph", "s5_object_masks", "s6_propagate"), 1)
    trained = dict.fromkeys(("s1_classifier", "s4_affinity", "s4_object_net", "s5_walk"), 1)
    assert jobs == FIRST | sharded | trained | {"masks": 1}


def test_tags_and_rrm_need_no_graphs_in_one_step_or_in_two(project):
    two_steps = "results/scenes/tag/rrm_two_step/s9_evaluate/val/scores.json"
    jobs, _ = dry_run(project, "all", two_steps, weak="tag", variant="rrm")
    assert jobs == FIRST | CAMS | LAST | {
        "rrm_train": 1,
        "rrm_label": 1,
        "s7_segment": 1,
        "s8_predict": 2,
        "s9_evaluate": 3,
    }


def test_scribbles_and_dfr_need_no_cams_and_their_bound_trains_on_truth(project):
    bound = "results/scenes/scribble/dfr_truth/s9_evaluate/val/scores.json"
    jobs, _ = dry_run(project, "all", bound, weak="scribble", variant="dfr")
    assert jobs == FIRST | LAST | {"dfr_train": 2, "s8_predict": 3, "s9_evaluate": 3}


def test_few_shot_tables_and_pages_share_trainings_and_scores(project):
    jobs, _ = dry_run(project, "scl", "table_5_7", tables={"folds": [1]})
    assert jobs == {
        "data": 1, "scl_episodes": 1, "scl_features": 2, "scl_train": 4, "scl_evaluate": 6, "scl_report": 2, "scl_table": 2,
        "scl": 1, "table_5_7": 1,
    }  # fmt: skip


def test_tables_of_comparison_start_nothing_else(project):
    jobs, _ = dry_run(project, "table_3_1", "table_4_3", "table_5_2")
    assert jobs == {"comparison": 3, "table_3_1": 1, "table_4_3": 1, "table_5_2": 1}


def test_tables_of_three_chapters_make_each_row_once_a_seed_from_seeds_and_cams_that_all_share(project):
    names = ("table_2_4", "table_3_5", "fig_4_3")
    jobs, output = dry_run(project, *names, tables={"base": "ours", "seeds": 2, "images": 4})
    rows = {"rrm_train": 16, "s6_propagate": 12, "dfr_train": 10, "s8_predict": 26, "s9_evaluate": 38}
    shared = {"data": 1, "weak_index": 3, **CAMS, "s4_affinity": 2, "s5_graph": 2, "table": 3}
    assert {rule: jobs.get(rule) for rule in rows | shared} == rows | shared
    assert not {"rrm_label", "s7_segment", "s9_review", "report"} & set(jobs)
    commands = [command.partition("\n\n")[0] for command in output.split("Shell command: ")]
    (timed,) = (command for command in commands if "stages.table" in command and "/pace.json" in command)
    assert len(re.findall(r"/(?:rrm\.\w+\.[01]|ours)/rrm_train/pace\.json", timed)) == 16


def test_the_table_of_edges_trains_one_affinity_cnn_and_none_for_edges_without(project):
    options = {"seeds": 1, "images": 4}
    jobs, _ = dry_run(project, "table_affinities", tables=options)
    made = {
        "s4_affinity": 1,
        "s5_walk": 5,
        "s5_graph": 5,
        "s6_propagate": 16,
        "s6_agreement": 16,
        "s9_evaluate": 16,
        "table": 1,
    }
    assert {rule: jobs.get(rule) for rule in made} == made
    assert not {"s4_object_net", "s7_segment", "s8_predict"} & set(jobs)
    own = {"base": "ours", "graph": {"edges": ["colour"]}, "propagate": {"objects_share": 0}}
    jobs, _ = dry_run(project, "results/scenes/box/plain/s6_propagate/train/1-of-1.json", variants={"plain": own})
    assert jobs == FIRST | CAMS | {"s3_masks": 1, "s5_walk": 1, "s5_graph": 1, "s6_propagate": 1}
