"""SCL's pages of episodes and its tables."""

import csv

import pytest

from tests.messages import lacking, raises
from wsss_stages.evaluation import figures
from wsss_stages.stages import scl_report, scl_table
from wsss_stages.store import artifacts


@pytest.mark.parametrize("name, columns", [("canet", 7), ("baseline", 6)])
def test_a_page_of_episodes(run, tmp_path, monkeypatch, name, columns):
    """Supports, regions, predictions and truth; the baseline has no regions."""
    seen = []
    monkeypatch.setattr(
        figures, "rows_figure", lambda *given, made=figures.rows_figure: seen.append(given) or made(*given)
    )
    path = ("--cross-path", "query") if name == "baseline" else ()
    run.main(
        scl_report, "--episodes", run.episodes, "--features", run.manifest("train"), run.manifest("val"),
        "--weights", run.weights[name], "--page", tmp_path / "page.png", "--images", 3, *path,
    )  # fmt: skip
    ((titles, rows, names, legend),) = seen
    assert len(titles) == columns and titles[:2] == ["support 1", "support 2"] and "3-shot, CGM" in titles
    assert any(not lacking(title, "v_pri", "v_aux", "support 1") for title in titles) == (name == "canet")
    assert len(rows) == 3 and all(title.startswith("brick") for title in names) and set(legend) == {1, 2}
    assert (tmp_path / "page.png").stat().st_size > 10_000


def scores(fold, miou, fb_iou):
    row = {"miou": miou, "fb_iou": fb_iou}
    return {
        "dataset": "toy",
        "fold": fold,
        "pairs": 8,
        "rows": {
            "1-shot": row,
            "1-shot, another class": {"miou": [m / 2 for m in miou]},
            "1-shot prototype": row,
            "5-shot prototype": row,
            "5-shot average": row,
            "5-shot cross": row,
        },
    }


def test_a_table_over_folds_and_seeds(tmp_path):
    given = []
    for number in range(10):
        for fold, base in ((0, 0.1), (1, 0.3)):
            path = tmp_path / f"{number}_{fold}.json"
            artifacts.write_sealed(path, scores(fold, [base, base + 0.02 * number], [0.5, 0.6]))
            given.append(f"{number}={path}")
    out = tmp_path / "t"
    scl_table.main(["--name", "table_5_1", "--scores", *given, "--table", str(out)])
    with open(out.with_suffix(".csv")) as file:
        header, prototype, _, first, second, _, _, five_shots, *_ = csv.reader(file)
    assert header[:4] == ["row", "fold 0, mIoU %", "fold 1, mIoU %", "mIoU %"]
    assert first == ["CANet, 1-shot", "12.0", "32.0", "22.0", "2.83", "55.0", "11.0", "11.0", "59.2", ""]
    assert header[6:8] == ["another class, mIoU %", "gap to it"] and five_shots[6:8] == ["", ""]
    assert second[1:5] == ["13.0", "33.0", "23.0", "4.24"]
    assert prototype[0] == "prototype, nothing trained, 1-shot" and prototype[6:] == ["", "", "", ""]
    text = out.with_suffix(".md").read_text()
    assert not lacking(text, "folds 0, 1", "2 seeds", "8 episodes", "255", "thesis")
    assert out.with_suffix(".png").stat().st_size > 10_000 and out.with_suffix(".html").exists()


def test_a_table_of_scores_without_its_row_is_reported(tmp_path):
    made = scores(0, [0.1], [0.5])
    del made["rows"]["5-shot cross"]
    artifacts.write_sealed(tmp_path / "s.json", made)
    given = [f"{number}={tmp_path / 's.json'}" for number in range(8)]
    with raises(ValueError, "'CANet, CGM of 5'", "fold 0", "5-shot cross", "scl_evaluate.shots"):
        scl_table.main(["--name", "table_5_7", "--scores", *given, "--table", str(tmp_path / "t")])
