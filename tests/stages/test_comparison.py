"""A table of comparison: others as printed, the thesis's numbers, and ours where there are any."""

import csv

from tests.messages import lacking
from wsss_stages.config import comparisons
from wsss_stages.stages import comparison, scl_table, table
from wsss_stages.store import artifacts


def made(folder, name, dataset="mine"):
    """Return the lines of a table, as cells by their first."""
    comparison.main(["--name", name, "--dataset", dataset, "--folder", str(folder), "--table", str(folder / "t")])
    with open(folder / "t.csv") as file:
        header, *rows = csv.reader(file)
    return header, {row[0]: row[1:] for row in rows}


def put(folder, path, content):
    (folder / path).parent.mkdir(parents=True)
    artifacts.write_sealed(folder / path, content)


def test_nothing_run_is_empty_and_says_what_makes_it(tmp_path):
    header, rows = made(tmp_path, "table_3_1")
    definition = comparisons.read()["table_3_1"]
    assert header[2:-1] == [column.title for column in definition.columns]
    assert rows["SDI [14], printed"] == ["DeepLab-ResNet101, boxes", "", "69.4", "", "", ""]
    assert rows["A²GNN, PSPNet, thesis"] == ["boxes", "74.4", "75.6", "73.9", "74.9", ""]
    about, *cells, command = rows["A²GNN, PSPNet, here"]
    assert about == "not run" and cells == [""] * 4
    assert not lacking(command, "voc12/box/pspnet/", "voc12/box/pspnet_crf/", "voc12_box.yaml")
    text = (tmp_path / "t.md").read_text()
    assert {path.suffix for path in tmp_path.glob("t.*")} >= {".csv", ".md", ".html", ".png"}
    assert not lacking(text, "This run's dataset is mine", "a server scores them")
    assert "This run's" not in (made(tmp_path, "table_3_1", "voc12") and (tmp_path / "t.md").read_text())


def test_what_was_run_is_read_and_only_the_rest_has_a_command(tmp_path):
    scores = {"dataset": "mine", "images": 7, "rows": {"prediction": {"miou": 0.5}}}
    put(tmp_path, "results/mine/box/thesis/s9_evaluate/val/scores.json", scores)
    _, rows = made(tmp_path, "table_3_1")
    about, first, second, *_, command = rows["A²GNN, DeepLab-v2, here"]
    assert (about, first, second) == ("mine, 7 images", "50.0", "")
    assert "thesis_crf" in command and "/thesis/" not in command


def test_instances_and_classes_are_found_in_their_files(tmp_path):
    ap = {"dataset": "mine", "images": 3, "mean": {"ap_50": 0.4, "ap_70": 0.3, "ap_75": None}}
    put(tmp_path, "results/mine/box/thesis/s9_instances/val/average_precision.json", ap)
    assert made(tmp_path, "table_3_2")[1]["A²GNN, Mask R-CNN, here"] == ["mine, 3 images", "40.0", "30.0", "", ""]
    row = {"miou": 0.25, "iou": {"cat": 0.75, "dog": None}}
    put(
        tmp_path,
        "results/mine/scribble/dfr_thesis/s9_evaluate/val/scores.json",
        {"dataset": "mine", "images": 1, "rows": {"prediction": row}},
    )
    header, rows = made(tmp_path, "table_4_2")
    found = dict(zip(header[1:], rows["DFR, one scale, here"], strict=True))
    assert (found["cat"], found["dog"], found["bird"], found["mean"]) == ("75.0", "", "", "25.0")


def test_few_shot_cells_are_means_of_lists_and_folds_and_a_mean_wants_all_folds(tmp_path):
    for fold in range(4):
        rows = {"5-shot cross": {"miou": [0.1 * fold, 0.1 * fold + 0.2]}, "5-shot average": {"miou": [0.0]}}
        put(
            tmp_path,
            f"results/c/scl/fold{fold}/pfenet_scl/scl_evaluate/scores.json",
            {"dataset": "c", "fold": fold, "rows": rows},
        )
        about, *cells, command = made(tmp_path, "table_5_3", "c")[1]["PFENet with SCL, here"]
        wanted = [f"{10 * f + 10:.1f}" if f <= fold else "" for f in range(4)]
        assert about == "c" and cells == [*wanted, "25.0" if fold == 3 else ""] and bool(command) == (fold < 3)


def test_other_methods_stand_below_the_rows_of_other_tables(tmp_path):
    score = {
        "dataset": "mine",
        "split": "train",
        "images": 2,
        "rows": {name: {"miou": 0.5, "boundary_iou": 0.2} for name in ("pseudo", "random_walk")},
    }
    artifacts.write_sealed(tmp_path / "s.json", score)
    table.main(
        [
            "--name",
            "table_3_9",
            "--scores",
            *(f"{n}={tmp_path / 's.json'}" for n in range(5)),
            "--table",
            str(tmp_path / "t"),
        ]
    )
    lines = (tmp_path / "t.md").read_text().splitlines()
    assert "| PSA [18], printed |  |  |  | 58.4 |" in lines
    names = ("1-shot prototype", "5-shot prototype", "1-shot", "5-shot average", "5-shot cross")
    few = {"dataset": "mine", "fold": 1, "pairs": 2, "rows": {name: {"miou": [0.5], "fb_iou": [0.5]} for name in names}}
    artifacts.write_sealed(tmp_path / "f.json", few)
    scl_table.main(
        [
            "--name",
            "table_5_1",
            "--scores",
            *(f"{n}={tmp_path / 'f.json'}" for n in range(10)),
            "--table",
            str(tmp_path / "t"),
        ]
    )
    with open(tmp_path / "t.csv") as file:
        rows = {row[0]: row for row in csv.reader(file)}
    assert (
        rows["PANet [24], 5-shot, printed"][-2:] == ["64.6", ""] and rows["CRNet [29], 1-shot, printed"][-2] == "55.7"
    )
    assert set(rows["CRNet [29], 1-shot, printed"][1:-2]) == {""}
