"""Tables of comparison: a number for every column, every table of the thesis's list has a target, files and commands of the rows."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.messages import lacking, raises
from wsss_stages.config import comparisons, tables

ROOT = Path(__file__).parents[2]
READ = comparisons.read()
LIST = (
    [f"table_2_{n}" for n in range(1, 7)]
    + [f"table_3_{n}" for n in range(1, 12)]
    + [f"table_4_{n}" for n in range(1, 8)]
    + [f"table_5_{n}" for n in range(1, 10)]
    + ["fig_3_7", "fig_4_3"]
)
"""The thesis's tables, and its figures with numbers."""


def test_every_table_of_the_thesis_is_one_target():
    of_each = [set(tables.read()[1]), set(tables.read_few_shot()[1]), set(READ)]
    assert set(LIST) <= set.union(*of_each) and sum(map(len, of_each)) == len(set.union(*of_each))


def test_other_methods_have_a_number_for_every_column():
    for name, comparison in READ.items():
        rows = comparisons.printed(name)
        assert all(len(row.values) == len(comparison.columns) for row in rows), name
        assert len({row.method for row in rows}) == len(rows) > 0, name
    assert {len(row.values) for row in comparisons.printed("table_3_9")} == {1}
    assert {len(row.values) for row in comparisons.printed("table_5_1")} == {10}
    assert comparisons.printed("table_3_4") == []


def test_printed_means_are_those_of_the_folds():
    for name in ("table_5_1", "table_5_2", "table_5_3"):
        for row in comparisons.printed(name):
            for *folds, mean in (row.values[k : k + 5] for k in range(0, len(row.values), 5)):
                assert None in folds or sum(folds) / 4 == pytest.approx(mean, abs=0.8), row
    for *classes, mean in (row.values for row in comparisons.printed("table_4_2")):
        if None not in classes:
            assert sum(classes) / 21 == pytest.approx(mean, abs=0.1)


def test_our_rows_have_the_thesis_numbers_that_other_tables_have():
    of_table = {name: {row.title: row.thesis for row in table.rows} for name, table in READ.items()}
    assert of_table["table_4_2"]["DFR, one scale"][-1] == of_table["table_4_1"]["DFR, one scale"][0]
    assert sum(of_table["table_4_2"]["DFR, one scale"][:-1]) / 21 == pytest.approx(81.5, abs=0.1)
    for *folds, mean in of_table["table_5_2"].values():
        assert sum(folds) / 4 == pytest.approx(mean, abs=0.1)
    (rrm,) = [row.thesis for row in tables.read()[1]["table_rrm"].rows if row.preset == "rrm_crf"]
    assert rrm == of_table["table_2_6"]["RRM, one step"][0]


def test_a_cell_s_files_lie_where_the_stages_write_them():
    boxes, few = READ["table_3_1"], READ["table_5_2"]
    row = boxes.rows[0]
    assert boxes.files(row, boxes.columns[1], "mine") == [
        "results/mine/box/thesis_crf/s9_evaluate/val/scores.json"
    ] and not boxes.files(row, boxes.columns[2], "mine")
    scores = "pfenet/scl_evaluate/scores.json"
    wanted = [f"results/c/scl/fold{fold}/{scores}" for fold in range(4)]
    assert few.files(few.rows[0], few.columns[4], "c") == wanted
    assert few.files(few.rows[0], few.columns[2], "c") == wanted[2:3]
    salient = READ["table_3_11"]
    assert salient.files(salient.rows[0], salient.columns[0], "mine")[0].startswith("results/voc12_saliency/tag/")


def test_a_command_makes_the_row_on_the_data_of_the_thesis():
    table = READ["table_3_2"]
    command = table.command(table.rows[0], table.columns)
    assert not lacking(
        command, "results/voc12/box/thesis/s9_instances/val/average_precision.json", "workflow/runs/voc12.yaml"
    )
    assert command.count("average_precision.json") == 1


def test_a_row_with_too_few_numbers_is_refused():
    column = {"title": "mIoU %"}
    row = {"title": "short", "run": ["voc12"], "variants": ["ours"], "thesis": [1.0]}
    with raises(ValidationError, "'short'", "1 numbers", "2 columns"):
        comparisons.Comparison(title="t", data="d", dataset="d", columns=[column, column], rows=[row])
