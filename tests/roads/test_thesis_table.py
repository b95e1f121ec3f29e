"""Cells of the thesis's tables from scores made by hand."""

from pathlib import Path

import pytest

from tests.messages import raises
from wsss_stages.config import tables
from wsss_stages.roads import few_shot_table, thesis_table


def test_files_are_grouped_by_their_rows():
    found = thesis_table.by_row(["1=a.json", "0=b=c.json", "1=d.json"])
    assert found == {1: [Path("a.json"), Path("d.json")], 0: [Path("b=c.json")]}


def test_pairs_that_the_seeds_do_not_tell_apart_count_in_one_number_alone():
    rows = [
        ("a", 50.0, 1.0, None, 70.0),
        ("b", 51.0, 0.5, None, 60.0),
        ("c", 60.0, None, None, 80.0),
        ("d", 1.0, 0.0, None, None),
    ]
    text = thesis_table.order(rows)
    assert text.startswith("2 of 3 pairs") and "of the 2 that" in text and text.endswith("deviations, 2.")
    assert thesis_table.order(rows[:1]) == ""


def test_seeds_without_a_score_are_left_out_of_the_mean():
    row = tables.read()[1]["table_3_7"].rows[0]
    scores = [{"rows": {"pseudo": {"miou": miou, "boundary_iou": None}}} for miou in (0.5, None, 0.7)]
    title, mean, deviation, boundary, thesis = thesis_table.row_of(row, "pseudo", scores)
    assert (title, boundary, thesis) == (row.title, None, row.thesis)
    assert mean == pytest.approx(60) and deviation == pytest.approx(200**0.5)


def few_shot_rows(*scored):
    scores = {"miou": [0.5, 0.7], "fb_iou": [0.6, 0.6]}
    return {"fold": 0, "rows": dict.fromkeys(scored, scores)}


def test_a_fold_without_the_rows_that_a_table_wants_is_named():
    row = next(iter(tables.read_few_shot()[1].values())).rows[0]
    with raises(ValueError, row.scored, "scl_evaluate.shots"):
        few_shot_table.row_of(row, [few_shot_rows("other")], [0])
    _, of_fold, mean, deviation, fb, control, gap, *_ = few_shot_table.row_of(row, [few_shot_rows(row.scored)], [0])
    assert (of_fold, mean, fb) == (pytest.approx(60), pytest.approx(60), pytest.approx(60))
    assert deviation == pytest.approx(200**0.5) and control is None and gap is None
