"""The thesis's tables: every row is a variant that exists, and rows share what they do not change."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from tests.messages import raises
from wsss_stages.config import dag, tables, variants
from wsss_stages.store import contracts

ROOT = Path(__file__).parents[2]
OVERRIDES, TABLES = tables.read()
OF_SCORES = {"boxes"} | {c.name for c in contracts.ALL.values() if "label" in c.fields}


@pytest.fixture
def config():
    return variants.load([ROOT / "config.yaml"], ["tables={images: 7, seeds: 2}"])


def test_every_row_is_a_variant_with_options_that_exist(config):
    for table in TABLES.values():
        for row in table.rows:
            assert table.labels_of(row) in OF_SCORES
            for variant in table.scored(row, config["tables"] | {"base": "thesis_small"}):
                for section in dag.STAGES.values():
                    variants.section(config, section, variant, table.weak_of(row))


def test_rows_change_what_they_say_and_take_seed_and_images(config):
    row = variants.section(config, "propagate", "thesis_small.ce_reg.1")
    base = variants.section(config, "propagate", "thesis_small")
    changed = {key for key in row if row[key] != base[key]}
    assert changed == {"mp_weight", "consistency", "seed", "images"} and row["seed"] == 1 and row["images"] == 7
    assert variants.section(config, "affinity", "thesis_small.ce_reg.1")["seed"] == 1


def test_rows_share_what_they_do_not_change(config):
    def home(variant, stage):
        return dag.home(config, f"thesis_small.{variant}", stage)

    assert home("ce.0", "s4_affinity") == home("edges.0", "s4_affinity") == "thesis"
    assert home("ce.1", "s4_affinity") == "thesis_small.full.1"
    assert home("ce.0", "s5_graph") == "thesis_small.full.0" != home("distance.0", "s5_graph")
    assert home("full_ac.1", "s4_affinity") == "thesis_small.full_ac.1"
    assert home("walk_ac.1", "s4_affinity") == home("confident_ac.1", "s4_affinity") == "thesis_small.confident_ac.1"
    assert home("walk_ac.1", "s5_graph") == "thesis_small.walk_ac.1"


def test_a_kind_of_weak_label_brings_its_defaults_to_a_row(config):
    tag = variants.section(config, "propagate", "thesis_small.full.0", "tag")
    box = variants.section(config, "propagate", "thesis_small.full.0")
    assert tag["walk_share"] == 0.75 and box["walk_share"] == 0


def test_the_thesis_numbers_that_tables_share_agree():
    """Two rows of chapter 2 differ: the thesis has 51.9 and 52.0, 58.5 and 58.3 for one setting."""
    seen: dict[tuple, float] = {}
    for table in TABLES.values():
        for row in table.rows:
            if row.thesis and row.weak is None and not row.labels and row.variant not in ("", "full"):
                apart = abs(seen.setdefault((table.base, row.variant), row.thesis) - row.thesis)
                assert apart < 0.25 if row.variant in ("both_ce", "cam") else apart == 0, row.title


def test_tables_of_predictions_seed_rrm_and_score_every_image(config):
    assert variants.section(config, "rrm", "rrm.local_ce.1") == variants.section(config, "rrm", "rrm") | {
        "seed": 1, "branches": ["local"], "energy_weight": 0, "distance_weight": 0,
    }  # fmt: skip
    assert variants.section(config, "evaluate", "rrm.local_ce.1")["images"] == 0
    assert dag.home(config, "rrm.full.0", "rrm_train") == "ours"
    assert dag.home(config, "rrm.full.1", "s8_predict") == "rrm.full.1"


def test_tables_of_chapter_4_seed_dfr(config):
    assert variants.section(config, "dfr", "dfr.static.1", "scribble") == variants.section(
        config, "dfr", "dfr", "scribble"
    ) | {"seed": 1, "kernel": ["position", "colour"]}
    assert dag.home(config, "dfr.full.0", "dfr_train", "scribble") == "ours"
    assert dag.home(config, "dfr.full.1", "dfr_train", "scribble") == "dfr.full.1"
    assert dag.home(config, "dfr.full.1", "s6_propagate", "scribble") == "ours"


def test_rows_of_one_table_are_different_variants():
    for name, table in TABLES.items():
        rows = [(row.variant or row.preset, row.weak, table.labels_of(row)) for row in table.rows]
        changes = [repr(OVERRIDES[row.variant]) for row in table.rows if row.variant]
        assert len(set(rows)) == len(rows), name
        assert len(set(changes)) == len({row.variant for row in table.rows if row.variant}), name


def test_a_row_of_two_minds_is_refused():
    with raises(ValidationError, "row 'both'", "variant", "preset"):
        tables.Row(title="both", variant="ce", preset="ours")


def test_an_unknown_base_is_named():
    with raises(variants.ConfigError, "variant 'best'", "ours"):
        variants.load([ROOT / "config.yaml"], ["tables={base: best}"])


def test_rows_are_made_when_they_are_asked_for(config):
    named = set(yaml.safe_load((ROOT / "config.yaml").read_text())["variants"])
    assert set(config["variants"]) == named
    assert variants.known_variant(config, "thesis_small.ce.1")["base"] == "thesis_small.full.1"
    assert variants.known_variant(config, "canet_ms")["base"] == "canet" and set(config["variants"]) == named
    with raises(variants.ConfigError, "'thesis_small.ce.2'"):  # of two seeds
        variants.known_variant(config, "thesis_small.ce.2")


def test_a_variant_of_the_config_may_have_the_name_of_a_row():
    config = variants.load([ROOT / "config.yaml"], ["variants={canet_ms: {base: ours}}"])
    assert variants.known_variant(config, "canet_ms") == {"base": "ours"}


def test_bases_in_a_circle_are_refused():
    circle = "variants={a: {base: b}, b: {base: a}}"
    with raises(variants.ConfigError, "circular", "a -> b -> a"):
        variants.load([ROOT / "config.yaml"], [circle, "variant=a"])
