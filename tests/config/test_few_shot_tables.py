"""Chapter 5's tables: every row is a variant with options that exist and a row of the scores; rows share what they do not change."""

from pathlib import Path

import pytest

from wsss_stages.config import dag, tables, variants

ROOT = Path(__file__).parents[2]
VARIANTS, TABLES = tables.read_few_shot()


@pytest.fixture(scope="module")
def config():
    return variants.load([ROOT / "config.yaml"], [])


def test_the_tables_of_the_issue_are_there():
    assert list(TABLES) == ["table_5_1", "table_5_6", "table_5_7", "table_5_8", "table_5_9"]


def test_every_row_is_a_variant_and_is_scored_as_the_shots_make_it(config):
    for table in TABLES.values():
        for row in table.rows:
            shots = variants.section(config, "scl_evaluate", row.variant)["shots"]
            made = ["1-shot", *(f"{k}-shot {name}" for k in shots if k > 1 for name in ("average", "cross"))]
            untrained = [f"{k}-shot prototype" for k in shots]
            assert (row.scored in made and len(row.thesis) in (1, 4)) or (row.scored in untrained and not row.thesis)
            scl = variants.section(config, "scl", row.variant)
            weighed = variants.section(config, "scl_evaluate", row.variant)["cross_path"]
            has_branch = scl["vectors"] != ["initial"] or scl["s1_weight"] > 0 or scl["s2_weight"] > 0
            assert has_branch or weighed == "query"


def test_every_table_begins_with_what_nothing_was_trained_for():
    for table in TABLES.values():
        shots = {row.scored.partition(" ")[0] for row in table.rows}
        assert [row.scored for row in table.rows[: len(shots)]] == [f"{shot} prototype" for shot in sorted(shots)]
        assert table.rows[0].thesis_of([0, 1]) is None


def test_no_two_rows_of_a_table_are_one():
    for table in TABLES.values():
        rows = [(row.variant, row.scored) for row in table.rows]
        assert len(set(rows)) == len(rows)


def test_rows_train_once_what_they_share(config):
    def home(variant, stage="scl_train"):
        return dag.home(config, variant, stage)

    assert home("canet_ms") == home("canet") == "canet" and home("canet_ms", "scl_evaluate") == "canet_ms"
    assert home("canet_scl") == home("canet_scl_ms") == "ours"
    assert len({home(row.variant) for row in TABLES["table_5_8"].rows[1:]}) == 5


def test_the_thesis_means_are_those_of_its_folds():
    by_title = {row.title: row for row in TABLES["table_5_1"].rows}
    for title, mean in (("CANet, 1-shot", 55.4), ("PFENet with SCL, 5-shot", 62.9), ("PFENet, 1-shot", 60.8)):
        assert by_title[title].thesis_of([0, 1, 2, 3]) == pytest.approx(mean, abs=0.1)
    assert by_title["CANet, 1-shot"].thesis_of([1]) == 65.9
    assert TABLES["table_5_9"].rows[1].thesis_of([0, 1]) == 55.6
