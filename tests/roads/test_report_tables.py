"""Rows of the report's tables from scores, walks, notes and benchmark files made by hand."""

from pathlib import Path

import pytest

from wsss_stages.data.index import Index
from wsss_stages.data.notes import Notes
from wsss_stages.roads import report_tables as tables


def scores(split, **miou):
    rows = {
        name: {
            "miou": value,
            "miou_frequent": None,
            "boundary_iou": 0.25,
            "unknown": 0.5,
            "iou": {"a": 0.75, "b": None},
        }
        for name, value in miou.items()
    }
    return {"split": split, "images": 3, "rows": rows}


def test_every_label_map_is_a_row_in_per_cent():
    assert tables.score_rows([scores("train", seeds=0.5), scores("val")]) == [
        ["train: seeds", 3, 50.0, None, 25.0, 50.0, 75.0, None]
    ]


def test_the_last_label_map_is_a_prediction_if_there_is_one():
    both = [scores("train", seeds=0.1, pseudo=0.2), scores("val", prediction=0.3)]
    assert tables.final_row(both) == (both[1], both[1]["rows"]["prediction"])
    nothing_predicted = [both[0], scores("val")]
    assert tables.final_row(nothing_predicted) == (both[0], both[0]["rows"]["pseudo"])


def test_notes_of_the_importer_follow_the_numbers_of_images():
    notes = Notes()
    notes.add("b", 2, "x")
    notes.add("a", 1, "y")
    index = Index("toy", Path("none"), ["background"], {"train": ["x", "y"], "val": []}, {}, notes=notes)
    assert tables.found(index) == [
        ["images to learn from", 2, ""],
        ["images to validate on", 0, ""],
        ["a", 1, "y"],
        ["b", 2, "x"],
    ]


def test_the_walk_that_was_chosen_is_marked():
    outlines = {"across": 0.25, "inside": None, "pairs_across": 4, "pairs_inside": 0}
    of_truth = {"split": "val", "outlines": {"across": 0.125, "inside": 1.0, "pairs_across": 2, "pairs_inside": 7}}
    walks = [{"power": 2.0, "steps": 3, "miou": 0.5}, {"power": 8.0, "steps": 0, "miou": None}]
    chosen = {"power": 8.0, "steps": 0, "agreements": walks, "outlines": outlines}
    of_val = ["val: truth", "0.125", "1.000", 2, None]
    assert tables.affinity_rows([of_truth, {"split": "train", "outlines": outlines}, {"split": "old"}], None) == [
        of_val
    ]
    assert tables.affinity_rows([of_truth], chosen) == [
        of_val,
        ["seeds", "0.250", None, 4, None],
        ["random walk", None, None, "power 2, 3 steps", 50.0],
        ["random walk", None, None, "power 8, 0 steps (chosen)", None],
    ]


def test_counts_of_seeds_are_reported_as_shares():
    rows = tables.substitutions(
        {
            "seeds_pixels": 8,
            "seeds_background": 2,
            "seeds_foreground": 4,
            "seeds_classes": 2,
            "seeds_classes_lost": 0,
            "whole_box": 1,
        }
    )
    assert rows[0] == ["whole_box", 1]
    assert ["seeds_background_share, %", 25.0] in rows and ["seeds_foreground_share, %", 50.0] in rows
    assert tables.substitutions({"whole_box": 1}) == [["whole_box", 1]]


def test_seconds_are_summed_and_memory_is_the_largest(tmp_path):
    jobs = {"s3_seeds/train/1-of-2": ("1.5", "300"), "s3_seeds/train/2-of-2": ("2.0", "-"), "data": ("9", "NA")}
    for name, (seconds, memory) in jobs.items():
        path = tmp_path / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:00\t{memory}\n")
    assert tables.costs([tmp_path / f"{name}.tsv" for name in jobs]) == [
        ["data", 1, 9.0, 0.0],
        ["s3_seeds", 2, pytest.approx(3.5), 300.0],
    ]
