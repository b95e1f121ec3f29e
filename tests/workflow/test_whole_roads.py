"""Whole roads through the workflow, each on a copy of its own of a finished run: what they make and what their scores are of."""

import json

import pytest
import yaml

from tests.messages import lacking
from tests.tiny_clip import tiny_clip
from tests.workflow.jobs import planned

pytestmark = pytest.mark.slow


def rows_of(folder, split="train"):
    """Return the rows of a variant's scores."""
    return json.loads((folder / f"s9_evaluate/{split}/scores.json").read_text())["rows"]


def check_rows(results, *kinds):
    """Check that labels of the training images were scored, of kinds that only some weak labels have exactly these."""
    rows = set(rows_of(results))
    assert {"pseudo", "seeds", "random_walk"} < rows and {"boxes", "grabcut", "expanded"} & rows == set(kinds)


def test_images_to_scores_and_report(own):
    results = own.folder / "results/scenes/box/ours"
    scores = json.loads((results / "s9_evaluate/val/scores.json").read_text())
    assert scores["images"] == 2 and scores["rows"]["prediction"]["miou"] is not None
    own.snakemake("--report", "report.html")
    pictures = ("rows.png", "confusion.png", "curves.png", "review_first.png")
    pages = ("scores.html", "found.html", "affinity.html", "substitutions.html", "costs.html", "review.html")
    assert not lacking((own.folder / "report.html").read_text(), *pictures, *pages, "review_first.csv")


def test_scribbles_share_the_classifier_and_go_all_the_way(own):
    jobs = planned(own.snakemake("--config", "weak=scribble"))
    assert not {"data", "s1_classifier", "s2_cam", "s4_object_net"} & set(jobs)
    results = own.folder / "results/scenes/scribble/ours"
    check_rows(results, "expanded")
    assert (results / "report/rows.png").exists()
    assert len((results / "s9_review/review_first.csv").read_text().splitlines()) == 7


def test_mixed_labels_go_as_far_as_pseudo_labels(own):
    mixed = "results/scenes/mixed/a2gnn"
    jobs = planned(own.snakemake(f"{mixed}/s9_evaluate/train/scores.json"))
    assert not {"data", "s1_classifier", "s2_cam", "s4_object_net"} & set(jobs)
    check_rows(own.folder / mixed, "boxes", "grabcut", "expanded")


def test_rrm_trains_on_tags_and_goes_to_scores_in_one_step_and_in_two(own):
    two_steps = "results/scenes/tag/rrm_two_step/s9_evaluate/val/scores.json"
    own.snakemake("all", two_steps, "--config", "weak=tag", "variant=rrm")
    results = own.folder / "results/scenes/tag"
    for variant in ("rrm", "rrm_two_step"):
        assert rows_of(results / variant, "val")["prediction"]["miou"] is not None
    assert set(rows_of(results / "rrm")) == {"cam_label", "seeds", "seeds_full", "rrm_branch", "rrm_label"}
    assert (results / "ours/rrm_train/curve.json").exists() and (results / "rrm/report/rows.png").exists()


def test_dfr_trains_on_scribbles_and_goes_to_scores_and_report(own):
    bound = "results/scenes/scribble/dfr_truth/s9_evaluate/val/scores.json"
    own.snakemake("all", bound, "--config", "weak=scribble", "variant=dfr")
    results = own.folder / "results/scenes/scribble"
    for variant in ("dfr", "dfr_truth"):
        assert rows_of(results / variant, "val")["prediction"]["miou"] is not None
    assert set(rows_of(results / "dfr")) == {"prediction", "prediction_known"}
    assert (results / "dfr/report/rows.png").exists()
    curve = json.loads((results / "ours/dfr_train/curve.json").read_text())
    assert {"feature_distance", "feature_smooth"} < set(curve["steps"][0])


def test_few_shot_episodes_of_a_fold_go_to_scores_and_a_page(project):
    more = {
        "data": {"scenes_train": 12, "scenes_val": 8},
        "scl_episodes": {
            "min_pixels": 150, "shots": 2, "test_pairs": 4, "test_seeds": 2, "train_pairs": 8, "held_out": 0.3, "held_out_pairs": 4,
        },
        "scl": {"channels": 8, "epochs": 1, "workers": 0, "bins": [1.0, 0.5]},
        "scl_features": {"side": 64},
    }  # fmt: skip
    settings = {**more, "scl_evaluate": {"shots": [1, 2]}, "tables": {"folds": [1]}}
    (project.folder / "few.yaml").write_text(yaml.safe_dump(settings))
    variant = "results/scenes/scl/fold1/pfenet_scl"
    targets = (f"{variant}/scl_evaluate/scores.json", f"{variant}/scl_report/episodes.png")
    jobs = planned(project.snakemake(*targets, "--configfile", "few.yaml"))
    folder = project.folder / variant
    assert jobs == {"data": 1, "scl_episodes": 1, "scl_features": 2, "scl_train": 1, "scl_evaluate": 1, "scl_report": 1}
    scores = json.loads((folder / "scl_evaluate/scores.json").read_text())
    rows = {"1-shot", "2-shot average", "2-shot cross", "1-shot prototype", "2-shot prototype"}
    assert scores["novel"] == ["brick"] and set(scores["rows"]) == rows
    assert len(scores["rows"]["1-shot"]["miou"]) == 2 and (folder / "scl_report/episodes.png").exists()


def test_a_table_of_the_thesis_with_pictures(own):
    (own.folder / "quick.yaml").write_text("tables: {base: a2gnn, seeds: 1, images: 4}")
    own.snakemake("table_3_7", "--configfile", "quick.yaml")
    folder = own.folder / "results/scenes/box/tables"
    rows = (folder / "table_3_7.md").read_text().splitlines()
    assert len(rows) == 9 and rows[-1].startswith("| cosine and edges |") and not lacking(rows[2], "4 images", "1 seed")
    assert (folder / "table_3_7.png").exists()


def test_instances_follow_the_labels(own):
    own.snakemake("instances")
    scores = own.folder / "results/scenes/box/ours/s9_instances/val/average_precision.json"
    assert json.loads(scores.read_text())["images"] == 2


def test_clip_takes_the_classifiers_place_for_tags(own, tmp_path):
    clip = tiny_clip(tmp_path / "clip")
    cam = f"cam={{clip_model: {clip}}}"
    jobs = planned(own.snakemake("--config", "weak=tag", "variant=clip", cam))
    assert jobs["s2_cam_of_variant"] == 1 and not {"data", "s1_classifier", "s2_cam", "s4_object_net"} & set(jobs)
    results = own.folder / "results/scenes/tag/clip"
    check_rows(results)
    assert (results / "report/rows.png").exists() and rows_of(results, "val")["prediction"]["miou"] is not None
    costs = (results / "report/costs.html").read_text()
    assert not lacking(costs, "s2_cam", "s3_seeds") and lacking(costs, "s1_classifier")
