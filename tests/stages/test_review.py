"""The list of images to review first: what a run has goes in, worst first, truth only measures it."""

import csv
import shutil

import cv2
import numpy as np
import pytest
from scipy.stats import spearmanr

from wsss_stages.data.index import Index
from wsss_stages.evaluation import metrics
from wsss_stages.evaluation.agreement import agreement, sides_hit
from wsss_stages.nets.grid import Grid, labels_at_nodes
from wsss_stages.shards.manifest import Manifest
from wsss_stages.stages import s9_review
from wsss_stages.store import artifacts, contracts

MAPS = ("cam_label", "grabcut", "object_label", "random_walk", "graph_label", "pseudo")
STAGES = ("s3_seeds", "s5_object_masks", "s5_graph", "s6_propagate")


def listed(folder):
    with open(folder / "review_first.csv", newline="") as file:
        return [
            {k: v if k == "id" else float(v) if v else None for k, v in row.items()} for row in csv.DictReader(file)
        ]


def test_the_score_is_the_mean_of_its_parts_and_the_worst_is_first(toy):
    rows, index = listed(toy.root / "s9_review"), Index.read(toy.index)
    manifest, masks = Manifest([toy.manifest(stage) for stage in STAGES]), Manifest([toy.manifest("s3_masks")])
    assert {row["id"] for row in rows} == set(index.splits["train"])
    assert list(rows[0]) == [
        "id",
        "score",
        "agreement",
        "sides_hit",
        "seeds_kept",
        "boxes_outlined",
        *(f"agreement_{m}" for m in MAPS),
        "iou",
    ]
    assert [row["score"] for row in rows] == sorted(row["score"] for row in rows)
    for row in rows:
        record = index.records[row["id"]]
        maps = [manifest.read(record.id, contracts.ALL[name])["label"] for name in MAPS]
        pairs = {(i, j): agreement(maps[i], maps[j], record.tags, 5) for i in range(6) for j in range(i)}
        pairs = {pair: value for pair, value in pairs.items() if value is not None}
        counts = manifest.counted(record.id, contracts.PSEUDO)
        parts = [
            np.mean(list(pairs.values())),
            sides_hit(maps[-1], *record.box_arrays()),
            1 - counts["object_seeds_inconsistent"] / counts["object_seeds"],
            1 - masks.read(record.id, contracts.MASKS)["substituted"].mean(),
        ]
        assert [row[name] for name in ("agreement", "sides_hit", "seeds_kept", "boxes_outlined")] == pytest.approx(
            parts, abs=1e-4
        )
        assert row["score"] == pytest.approx(
            np.mean(parts[:3]), abs=1e-4
        )  # soft masks of boxes differ in a box that was taken whole
        of_grabcut = [value for pair, value in pairs.items() if MAPS.index("grabcut") in pair]
        assert row["agreement_grabcut"] == pytest.approx(np.mean(of_grabcut), abs=1e-4)
        counted = metrics.confusion(record.truth_labels(index.root), maps[-1], 5)
        assert row["iou"] == pytest.approx(metrics.mean_iou(counted), abs=1e-4)


def test_boxes_that_were_taken_whole_lower_the_score_where_there_are_no_soft_masks(toy, tmp_path):
    argv = [word for word in toy.argv("s9_review", tmp_path) if word != str(toy.manifest("s5_object_masks"))]
    s9_review.main(argv)
    rows = listed(tmp_path / "s9_review")
    parts = ("agreement", "sides_hit", "seeds_kept", "boxes_outlined")
    assert all(row["score"] == pytest.approx(np.mean([row[part] for part in parts]), abs=1e-4) for row in rows)
    assert "agreement_object_label" not in rows[0] and any(row["boxes_outlined"] < 1 for row in rows)


def test_the_seeds_that_survive_are_counted_per_image(toy):
    manifest, index = Manifest([toy.manifest("s6_propagate")]), Index.read(toy.index)
    seeds = Manifest([toy.manifest("s3_seeds")])
    grid = Grid(8, Manifest([toy.manifest("s5_graph")]).options[0]["offset"])
    totals = {"object_seeds": 0, "object_seeds_inconsistent": 0}
    for image_id in index.splits["train"]:
        counts = manifest.counted(image_id, contracts.PSEUDO)
        at_nodes = labels_at_nodes(seeds.read(image_id, contracts.CHECKED)["label"], grid)
        assert counts["object_seeds"] == ((at_nodes > 0) & (at_nodes != 255)).sum()
        assert 0 <= counts["object_seeds_inconsistent"] <= counts["object_seeds"]
        totals = {name: totals[name] + counts[name] for name in totals}
    assert totals.items() <= manifest.notes.items()


def test_the_rank_correlation_with_truth_is_reported(toy):
    rows = listed(toy.root / "s9_review")
    scores = toy.read(toy.root / "s9_review" / "review.json")["scores"]
    for name in ("score", "agreement", "agreement_grabcut"):
        expected = spearmanr([row[name] for row in rows], [row["iou"] for row in rows]).statistic
        assert scores[name]["rank_correlation"] == pytest.approx(expected, abs=0.05) and scores[name]["images"] == 8
    page = (toy.root / "s9_review" / "review.html").read_text()
    assert "rank correlation" in page and f"{scores['score']['rank_correlation']:+.2f}" in page


def without_truth(toy, path, change=None):
    content = toy.read_index(toy.index)
    for record in content["records"]:
        record["truth"] = None
    (change or (lambda content: None))(content)
    toy.write_index(path, content)


def review(toy, tmp_path):
    """Review on tmp_path/index.json, with s6_propagate's folder below tmp_path."""
    argv = toy.argv("s9_review", tmp_path)
    argv[1], argv[-1] = str(tmp_path / "index.json"), str(toy.manifest("s6_propagate", root=tmp_path))
    s9_review.main(argv)
    return listed(tmp_path / "s9_review")


def test_a_spoilt_image_comes_first_without_any_truth(toy, tmp_path):
    without_truth(toy, tmp_path / "index.json")
    last = listed(toy.root / "s9_review")[-1]["id"]
    folder = tmp_path / "s6_propagate" / "train"
    shutil.copytree(toy.manifest("s6_propagate").parent, folder)
    path = folder / "pseudo" / f"{last}.png"
    arrays, meta = artifacts.read(path, contracts.PSEUDO)
    artifacts.write(path, contracts.PSEUDO, {"label": np.zeros_like(arrays["label"])}, meta)
    manifest = toy.read(folder / "1-of-1.json")
    manifest["items"][last]["pseudo"][1] = artifacts.sha256(path)
    artifacts.write_sealed(folder / "1-of-1.json", manifest)
    rows = review(toy, tmp_path)
    assert rows[0]["id"] == last and rows[0]["sides_hit"] == 0 and all(row["iou"] is None for row in rows)
    scores = toy.read(tmp_path / "s9_review" / "review.json")["scores"]
    assert scores["score"]["rank_correlation"] is None and scores["score"]["images_with_truth"] == 0
    assert cv2.imread(str(tmp_path / "s9_review" / "review_first.png")).shape[0] > 300


def test_what_an_image_does_not_have_is_left_out(toy, tmp_path):
    """No boxes; no counts of seeds, as runs of before have none; and labels that are truth need no review."""

    def change(content):
        for record in content["records"]:
            record["boxes"], record["box_classes"] = [], []
        record = next(r for r in content["records"] if r["id"] == content["splits"]["train"][0])
        record["truth_sha256"] = "0" * 64

    without_truth(toy, tmp_path / "index.json", change)
    folder = tmp_path / "s6_propagate" / "train"
    shutil.copytree(toy.manifest("s6_propagate").parent, folder)
    manifest = toy.read(folder / "1-of-1.json")
    for image_id in manifest["items"]:
        path = folder / "pseudo" / f"{image_id}.png"
        arrays, meta = artifacts.read(path, contracts.PSEUDO)
        artifacts.write(path, contracts.PSEUDO, arrays, meta | {"notes": {}})
        manifest["items"][image_id]["pseudo"][1] = artifacts.sha256(path)
    artifacts.write_sealed(folder / "1-of-1.json", manifest)
    *rows, last = review(toy, tmp_path)
    parts = ("sides_hit", "seeds_kept", "boxes_outlined")
    assert all(r["score"] == r["agreement"] and all(r[part] is None for part in parts) for r in rows)
    assert last == dict.fromkeys(last) | {"id": Index.read(toy.index).splits["train"][0]}
