"""A table of the thesis: means and deviations over seeds, the order of rows, four files."""

import copy
import csv

import pytest

from tests.messages import lacking
from wsss_stages.config import tables
from wsss_stages.stages import table
from wsss_stages.store import artifacts


@pytest.fixture
def made(toy, tmp_path):
    """Table 3.7 of three rows with two seeds each, mIoU 50 and 52, 60 and 61, 55 and 58."""
    scores = toy.read(toy.root / "s9_evaluate" / "train" / "scores.json")
    arguments = []
    for number, found in enumerate([(0.50, 0.52), (0.60, 0.61), (0.55, 0.58)]):
        for seed, miou in enumerate(found):
            own = copy.deepcopy(scores)
            own["rows"]["pseudo"]["miou"] = miou
            path = tmp_path / f"{number}_{seed}.json"
            artifacts.write_sealed(path, own)
            arguments.append(f"{number}={path}")
    table.main(["--name", "table_3_7", "--scores", *arguments, "--table", str(tmp_path / "t")])
    return tmp_path / "t"


def test_means_and_deviations_beside_the_thesis(made):
    with open(made.with_suffix(".csv")) as file:
        rows = list(csv.reader(file))
    assert rows[0][0] == "row" and rows[1][:3] == ["cosine only", "51.0", "1.41"] and rows[1][4] == "73.1"
    assert [row[0] for row in rows[1:]] == ["cosine only", "edges only", "cosine and edges"]


def test_it_says_how_much_of_the_thesis_order_is_there(made):
    text = made.with_suffix(".md").read_text()
    assert (
        text.startswith(f"# {tables.read()[1]['table_3_7'].title}") and "another dataset" in text and "2 seeds" in text
    )
    assert not lacking(text, "2 of 3 pairs", "3 that differ ... 2.")
    assert "| edges only | 60.5 | 0.71 |" in text


def test_page_and_picture(made):
    assert f"<h1>{tables.read()[1]['table_3_7'].title}</h1>" in made.with_suffix(".html").read_text()
    assert made.with_suffix(".png").stat().st_size > 10_000


def test_a_timed_table_tells_seconds_of_an_iteration(toy, tmp_path):
    scores = toy.read(toy.root / "s9_evaluate" / "val" / "scores.json")
    artifacts.write_sealed(tmp_path / "scores.json", scores)
    given, paces = [], []
    for number in range(8):
        for seed in (0, 1):
            path = tmp_path / f"{number}_{seed}.json"
            artifacts.write_sealed(path, {"seconds_per_step": number + seed})
            given.append(f"{number}={tmp_path / 'scores.json'}")
            paces.append(f"{number}={path}")
    out = tmp_path / "t"
    table.main(["--name", "table_2_4", "--scores", *given, "--paces", *paces, "--table", str(out)])
    with open(out.with_suffix(".csv")) as file:
        rows = list(csv.reader(file))
    assert (
        rows[0][-2:] == ["s an iteration", "thesis, s on a GPU"]
        and rows[3][0] == "+ CRF"
        and rows[3][-2:] == ["2.5", "4.59"]
    )
    text = out.with_suffix(".md").read_text()
    assert not lacking(text, "VOC 2012", "validation") and len(rows) == 9


def test_a_table_of_edges_tells_how_many_hidden_seeds_were_found_and_has_it_without_truth_too(toy, tmp_path):
    scores = toy.read(toy.root / "s9_evaluate" / "train" / "scores.json")
    for row in scores["rows"].values():
        row |= {"miou": None, "boundary_iou": None}
    artifacts.write_sealed(tmp_path / "scores.json", scores)
    definition = tables.read()[1]["table_affinities"]
    agreements = []
    for number in range(len(definition.rows)):
        path = tmp_path / f"{number}.json"
        rows = {"graph_label": {"miou": number / 100}, "pseudo": {"miou": 0.9}}
        artifacts.write_sealed(path, {"rows": rows})
        agreements.append(f"{number}={path}")
    given = [f"{number}={tmp_path / 'scores.json'}" for number in range(len(definition.rows))]
    out = tmp_path / "t"
    table.main(["--name", "table_affinities", "--scores", *given, "--agreements", *agreements, "--table", str(out)])
    with open(out.with_suffix(".csv")) as file:
        header, *rows = csv.reader(file)
    assert header[-1] == "hidden seeds found, mIoU %" and [row[1] for row in rows] == [""] * len(rows)
    assert [row[-1] for row in rows] == ["0.0", "90.0", *(str(float(n)) for n in range(2, len(rows)))]
