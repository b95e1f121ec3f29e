"""The whole DAG on the demo, and what reruns when."""

import json
import os
import re

import pytest
import yaml

from tests.messages import lacking

pytestmark = pytest.mark.slow


def planned(output):
    """Jobs of a dry run by rule."""
    return {
        rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", output, re.M) if rule not in ("total", "all")
    }


def test_images_to_scores_and_report(finished):
    results = finished.folder / "results" / "scenes" / "box" / "ours"
    scores = json.loads((results / "s9_evaluate" / "val" / "scores.json").read_text())
    assert scores["images"] == 2 and scores["rows"]["prediction"]["miou"] is not None
    finished.snakemake("--report", "report.html")
    page = (finished.folder / "report.html").read_text()
    for name in (
        "rows.png",
        "scores.html",
        "confusion.png",
        "curves.png",
        "found.html",
        "affinity.html",
        "substitutions.html",
        "costs.html",
    ):
        assert name in page
    for name in ("review_first.csv", "review_first.png", "review.html"):
        assert name in page


def test_scribbles_share_the_classifier_and_go_all_the_way(finished):
    output = finished.snakemake("--config", "weak=scribble")
    assert "Classifier on" not in output and "Object network" not in output
    results = finished.folder / "results/scenes/scribble/ours"
    check_rows(results, "expanded")
    assert (results / "report/rows.png").exists()
    assert len((results / "s9_review/review_first.csv").read_text().splitlines()) == 7


def test_other_weak_labels_go_as_far_as_pseudo_labels(finished):
    scores = "s9_evaluate/train/scores.json"
    mixed = "results/scenes/mixed/a2gnn"
    output = finished.snakemake(f"{mixed}/{scores}")
    assert "Classifier on" not in output and "Object network" not in output
    check_rows(finished.folder / mixed, "boxes", "grabcut", "expanded")
    for weak in ("point", "tag"):  # both are among the mixed labels
        jobs = planned(finished.snakemake("-n", f"results/scenes/{weak}/ours/{scores}"))
        for made_by_another_test in ("weak_index", "s3_seeds"):
            jobs.pop(made_by_another_test, None)
        assert jobs == {"s4_affinity": 1, "s5_walk": 1, "s5_graph": 1, "s6_propagate": 1, "s9_evaluate": 1}


def check_rows(results, *kinds):
    """Labels of the training images were scored, of kinds that only some weak labels have exactly these."""
    rows = set(json.loads((results / "s9_evaluate/train/scores.json").read_text())["rows"])
    assert {"pseudo", "seeds", "random_walk"} < rows and {"boxes", "grabcut", "expanded"} & rows == set(kinds)


def test_rrm_trains_on_tags_and_goes_to_scores_in_one_step_and_in_two(finished):
    two_steps = "results/scenes/tag/rrm_two_step/s9_evaluate/val/scores.json"
    settings = ("all", two_steps, "--config", "weak=tag", "variant=rrm")
    jobs = planned(finished.snakemake("-n", *settings))
    jobs.pop("s3_seeds", None)  # another test may have made those of tags
    jobs.pop("weak_index", None)
    assert jobs == {
        "rrm_train": 1, "rrm_label": 1, "s7_segment": 1, "s8_predict": 2, "s9_evaluate": 3, "s9_review": 1, "report": 1,
    }  # fmt: skip
    finished.snakemake(*settings)
    results = finished.folder / "results/scenes/tag"
    for path in (results / "rrm" / "s9_evaluate/val/scores.json", finished.folder / two_steps):
        assert json.loads(path.read_text())["rows"]["prediction"]["miou"] is not None
    rows = json.loads((results / "rrm/s9_evaluate/train/scores.json").read_text())["rows"]
    assert set(rows) == {"cam_label", "seeds", "seeds_full", "rrm_branch", "rrm_label"}
    assert (results / "ours/rrm_train/curve.json").exists() and (results / "rrm/report/rows.png").exists()


def test_tables_of_chapter_2_train_rrm_once_a_row_and_tell_its_pace(finished):
    (finished.folder / "quick.yaml").write_text("tables: {seeds: 1}")
    output = finished.snakemake("-n", "-p", "table_2_4", "--configfile", "quick.yaml")
    jobs = planned(output)
    made = 7 if (finished.folder / "results/scenes/tag/ours/rrm_train/pace.json").exists() else 8  # of the first seed
    assert jobs["rrm_train"] == made and jobs["s8_predict"] == made and jobs["s9_evaluate"] == 8
    assert not {"rrm_label", "s3_seeds", "s7_segment", "s1_classifier"} & set(jobs)
    assert "--paces 0=results/scenes/tag/rrm.local_dense_cam_ce.0/rrm_train/pace.json 1=" in output
    jobs = planned(finished.snakemake("-n", "table_rrm", "--configfile", "quick.yaml"))
    assert jobs["s9_evaluate"] >= 2 and jobs["s7_segment"] >= 1 and "s6_propagate" not in jobs


def test_dfr_trains_on_scribbles_without_cams_and_goes_to_scores_and_report(finished):
    results = "results/scenes/scribble"
    bound = f"{results}/dfr_truth/s9_evaluate/val/scores.json"
    settings = ("all", bound, "--config", "weak=scribble", "variant=dfr")
    jobs = planned(finished.snakemake("-n", *settings))
    jobs.pop("weak_index", None)  # another test may have made that of scribbles
    assert jobs == {"dfr_train": 2, "s8_predict": 3, "s9_evaluate": 3, "s9_review": 1, "report": 1}
    finished.snakemake(*settings)
    for variant in ("dfr", "dfr_truth"):
        scores = json.loads((finished.folder / f"{results}/{variant}/s9_evaluate/val/scores.json").read_text())
        assert scores["rows"]["prediction"]["miou"] is not None
    rows = json.loads((finished.folder / f"{results}/dfr/s9_evaluate/train/scores.json").read_text())["rows"]
    assert (
        set(rows) == {"prediction", "prediction_known"}
        and (finished.folder / f"{results}/dfr/report/rows.png").exists()
    )
    curve = json.loads((finished.folder / f"{results}/ours/dfr_train/curve.json").read_text())
    assert {"feature_distance", "feature_smooth"} < set(curve["steps"][0])


def test_tables_of_chapter_4_train_dfr_once_a_row(finished):
    (finished.folder / "quick.yaml").write_text("tables: {seeds: 2}")
    chapter = ("table_4_4", "table_4_5", "table_4_6", "table_4_7", "fig_4_3", "table_dfr", "table_dots")
    jobs = planned(finished.snakemake("-n", *chapter, "--configfile", "quick.yaml"))
    made = 48 - (finished.folder / "results/scenes/scribble/ours/dfr_train/curve.json").exists()  # of the first seed
    assert jobs["dfr_train"] == made and not {"rrm_train", "s1_classifier", "s3_seeds", "s7_segment"} & set(jobs)
    output = finished.snakemake("-n", "-p", "fig_4_3", "--configfile", "quick.yaml")
    shares = set(re.findall(r"--scribble-share (\S+)", output))
    assert {float(share) for share in shares} >= {0.8, 0.5, 0.3, 0.0}


def test_few_shot_episodes_of_a_fold_go_to_scores_and_a_page(project):
    few = {
        "min_pixels": 150,
        "shots": 2,
        "test_pairs": 4,
        "test_seeds": 2,
        "train_pairs": 8,
        "held_out": 0.3,
        "held_out_pairs": 4,
    }
    more = {
        "data": {"scenes_train": 12, "scenes_val": 8},
        "scl_episodes": few,
        "scl": {"channels": 8, "epochs": 1, "workers": 0, "bins": [1.0, 0.5]},
        "scl_evaluate": {"shots": [1, 2]},
        "scl_features": {"side": 64},
        "tables": {"folds": [1]},
    }
    demo = yaml.safe_load(project.demo.read_text())
    for name, values in more.items():
        demo[name] = {**demo.get(name, {}), **values}
    project.demo.write_text(yaml.safe_dump(demo))
    folder = project.folder / "results/scenes/scl/fold1/pfenet_scl"
    targets = [
        str((folder / name).relative_to(project.folder))
        for name in ("scl_evaluate/scores.json", "scl_report/episodes.png")
    ]
    jobs = planned(project.snakemake(*targets))
    assert jobs == {"data": 1, "scl_episodes": 1, "scl_features": 2, "scl_train": 1, "scl_evaluate": 1, "scl_report": 1}
    scores = json.loads((folder / "scl_evaluate/scores.json").read_text())
    rows = {"1-shot", "2-shot average", "2-shot cross", "1-shot prototype", "2-shot prototype"}
    assert scores["novel"] == ["brick"] and set(scores["rows"]) == rows
    assert len(scores["rows"]["1-shot"]["miou"]) == 2 and (folder / "scl_report/episodes.png").exists()
    jobs = planned(project.snakemake("-n", "scl", "table_5_7"))
    assert (jobs["scl_train"], jobs["scl_evaluate"], jobs["scl_report"], jobs["scl_table"]) == (3, 5, 1, 2)
    assert not {"data", "scl_episodes", "scl_features"} & set(jobs)


def test_shards_are_jobs_of_the_stages_that_go_image_by_image(project):
    jobs = planned(project.snakemake("-n", "--config", "shards=3"))
    sharded = {"s2_cam", "s3_seeds", "s5_graph", "s5_object_masks", "s6_propagate", "s8_predict"}
    assert {rule for rule, count in jobs.items() if count == 3} == sharded


def test_a_second_run_has_nothing_to_do(finished):
    assert "Nothing to be done" in finished.snakemake()


def test_a_variant_makes_only_what_it_changes(finished):
    jobs = planned(finished.snakemake("-n", "--config", "variant=a2gnn"))
    assert jobs == {"s6_propagate": 1, "s7_segment": 1, "s8_predict": 1, "s9_evaluate": 2, "s9_review": 1, "report": 1}


def test_a_variant_of_one_branch_leaves_the_other(finished):
    more = {"variants": {"sparse": {"base": "ours", "graph": {"threshold": 0.1}}}}
    (finished.folder / "sparse.yaml").write_text(yaml.safe_dump(more))
    jobs = planned(finished.snakemake("-n", "--configfile", "sparse.yaml", "--config", "variant=sparse"))
    assert "s5_graph" in jobs and "s6_propagate" in jobs and not {"s4_object_net", "s5_object_masks"} & set(jobs)


def test_a_table_of_the_thesis_with_pictures(finished):
    (finished.folder / "quick.yaml").write_text("tables: {base: a2gnn, seeds: 1, images: 4}")
    finished.snakemake("table_3_7", "--configfile", "quick.yaml")
    folder = finished.folder / "results/scenes/box/tables"
    rows = (folder / "table_3_7.md").read_text().splitlines()
    assert len(rows) == 9 and rows[-1].startswith("| cosine and edges |") and not lacking(rows[2], "4 images", "1 seed")
    assert (folder / "table_3_7.png").exists()


def test_tables_of_the_thesis_share_what_their_rows_do_not_change(finished):
    (finished.folder / "quick.yaml").write_text("tables: {base: ours, seeds: 2, images: 4}")
    jobs = planned(finished.snakemake("-n", "table_3_5", "--configfile", "quick.yaml"))
    assert jobs["s4_affinity"] == 1 and jobs["s5_graph"] == 2 and jobs["s6_propagate"] == 12 and "s3_seeds" not in jobs
    jobs = planned(finished.snakemake("-n", "table_3_8", "fig_3_7", "--configfile", "quick.yaml"))
    assert jobs["s4_affinity"] == 9 and "s1_classifier" not in jobs


def test_the_upper_bound_needs_no_pseudo_labels_of_its_own(finished):
    jobs = planned(finished.snakemake("-n", "results/scenes/box/truth/s9_evaluate/val/scores.json"))
    assert jobs == {"s7_segment": 1, "s8_predict": 1, "s9_evaluate": 1}


def test_instances_follow_the_labels_and_those_of_truth_need_none(finished):
    output = finished.snakemake("instances")
    assert planned(output) == {
        "s6_instance_masks": 1, "s7_instances": 1, "s8_detect": 1, "s9_instances": 1, "instances": 1,
    }  # fmt: skip
    scores = finished.folder / "results/scenes/box/ours/s9_instances/val/average_precision.json"
    assert json.loads(scores.read_text())["images"] == 2
    plan = finished.snakemake("-n", "-p", "instances", "--config", "variant=truth")
    assert planned(plan) == planned(output) and "--labels '\"truth\"'" in plan and "--pseudo" not in plan


def test_instances_without_boxes_are_told_before_anything_runs(finished):
    output = finished.snakemake("-n", "instances", "--config", "weak=tag", fails=True)
    assert not lacking(output, "boxes ... weak: tag ... weak: box")
    finished.snakemake("-n", "instances", "--config", "weak=tag", "variant=truth")


def test_presets_start_where_they_differ(finished):
    for preset in ("thesis", "released"):
        jobs = planned(finished.snakemake("-n", "--config", f"variant={preset}"))
        assert jobs["s3_seeds"] == 1 and not {"data", "s2_cam", "s4_object_net", "s5_object_masks"} & set(jobs)


def test_a_changed_option_reruns_its_stage_and_what_follows(finished):
    (finished.folder / "more.yaml").write_text("graph: {walk_steps: [3]}")
    jobs = planned(finished.snakemake("-n", "--configfile", "more.yaml"))
    assert "s5_graph" in jobs and "s6_propagate" in jobs and "s4_affinity" not in jobs and "s3_seeds" not in jobs


def test_touching_a_manifest_without_changing_it_reruns_nothing(finished):
    manifest = finished.folder / "results/scenes/s2_cam/train/1-of-1.json"
    os.utime(manifest)
    assert "Nothing to be done" in finished.snakemake("-n")
