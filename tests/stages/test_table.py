"""The table that compares variants."""

import csv

from wsss_stages.stages import table


def test_shared_rows_once_and_own_rows_for_each_variant(toy, tmp_path):
    path = toy.root / "s9_evaluate" / "train" / "scores.json"
    table.main(["--scores", f"ours={path}", f"ce={path}", "--title", "Losses", "--table", str(tmp_path / "t")])
    with open(tmp_path / "t.csv") as file:
        rows = list(csv.reader(file))
    names = [row[0] for row in rows[1:]]
    assert names[0] == "boxes filled" and names[-4:] == [
        "A²GNN, ours",
        "A²GNN + CRF, ours",
        "A²GNN, ce",
        "A²GNN + CRF, ce",
    ]
    assert float(rows[1][1]) == round(100 * toy.read(path)["rows"]["boxes"]["miou"], 2)
    assert "<h1>Losses</h1>" in (tmp_path / "t.html").read_text()
