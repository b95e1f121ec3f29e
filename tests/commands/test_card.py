"""Cards of the thesis's tables: every table has one, stored pages are those of the command, numbers are those of a run's records."""

from pathlib import Path

import pytest
import yaml

from tests.config.test_comparisons import LIST
from tests.messages import lacking, raises
from wsss_stages.commands import card
from wsss_stages.config import cards, variants
from wsss_stages.store import artifacts, provenance

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "cards"
REASONS, CARDS = cards.read()


def test_every_table_of_the_thesis_has_a_card_with_reasons_that_exist():
    assert sorted(CARDS) == sorted(LIST)
    used = {reason for known in CARDS.values() for reason in known.why}
    assert used == set(REASONS) and all(known.why for known in CARDS.values())
    runs = {path.stem for path in (ROOT / "workflow" / "runs").glob("*.yaml")}
    assert {run for known in CARDS.values() for run in known.run} <= runs


def test_the_index_lists_every_table_with_target_card_and_state():
    text = (DOCS / "index.md").read_text()
    assert text == card.index(), "run: wsss card --all docs/cards"
    for name in LIST:
        (row,) = [line for line in text.splitlines() if f"`{name}`" in line]
        assert f"[card]({name}.md)" in row and row.startswith(f"| {card.label(name)} |")
        assert any(row.endswith(f"{state} |") for state in (cards.MEASURED, cards.MINIATURE, cards.NOT_RUN))


@pytest.mark.parametrize("name", ["table_2_1", "table_3_2", "table_5_6"])
def test_stored_cards_are_the_command_s(name, tmp_path):
    assert (DOCS / f"{name}.md").read_text() == card.page(name, tmp_path), "run: wsss card --all docs/cards"


@pytest.mark.slow
def test_all_stored_cards_are_the_command_s(tmp_path):
    card.write_all(tmp_path, tmp_path / "nothing")
    made = {path.name: path.read_text() for path in tmp_path.glob("*.md")}
    assert made == {path.name: path.read_text() for path in DOCS.glob("*.md")}, "run: wsss card --all docs/cards"


@pytest.fixture
def demo(tmp_path):
    """The folder of a run of the demo with scores of one row of Table 3.7, seeds 0 and 1, and the curve of its affinity CNN."""
    for seed, miou in enumerate((0.5, 0.7)):
        path = tmp_path / f"results/scenes/box/thesis_small.cosine.{seed}/s9_evaluate/train/scores.json"
        path.parent.mkdir(parents=True)
        artifacts.write_sealed(path, {"dataset": "scenes", "images": 5, "rows": {"pseudo": {"miou": miou}}})
    trained = tmp_path / "results/scenes/box/thesis/s4_affinity"
    trained.mkdir(parents=True)
    artifacts.write_sealed(trained / "curve.json", {"stage": "s4_affinity", "settled": False})
    run = {
        "options": {"seed": 3},
        "inputs": {},
        "seconds": 61.2,
        "device": "cpu, 2 threads",
        "libraries": {"torch": "2.9"},
    }
    weights = provenance.record_of(trained / "weights.safetensors")
    artifacts.write_sealed(weights, {"runs": [run | {"code": {"commit": "abcdef0123"}}]})
    return tmp_path


def test_a_card_has_the_numbers_and_records_of_a_folder(demo):
    config = variants.load([ROOT / "config.yaml"], [])
    text = card.page("table_3_7", demo, config)
    rows = {line.split(" | ")[0]: line for line in text.splitlines()}
    assert rows["| cosine only"].endswith("| 60.0 | 73.1 |") and rows["| edges only"].endswith("|  | 77.3 |")
    assert not lacking(
        text, "scenes, 5 images", "| scenes/box/thesis/s4_affinity | no | 3 | 61 | cpu, 2 threads | 2.9 | abcdef0 |"
    )
    assert text == card.page("table_3_7", demo, config)
    assert "nothing of the table" in card.page("table_3_6", demo, config)


def test_the_command_writes_a_card_of_a_configuration(demo, capsys):
    settings = demo / "mine.yaml"
    settings.write_text(yaml.safe_dump({"dataset": "scenes", "classifier": {"crop": 96}}))
    card.main(["table_3_7", "--folder", str(demo), "--configfile", str(settings), "--config", "dataset_root=x"])
    text = capsys.readouterr().out
    assert not lacking(
        text,
        "## Claimed",
        "## How ours is run",
        "## Measured",
        "## Why yours may differ",
        "`crop: 96`",
        "| 60.0 | 73.1 |",
    )
    with raises(card.CardError, "'table_3_77'", "table_3_7"):
        card.main(["table_3_77"])
