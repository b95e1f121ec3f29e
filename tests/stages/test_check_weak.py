"""Too few weak labels are told before anything is trained."""

import json

import pytest

from wsss_stages.data.findings import DatasetError
from wsss_stages.stages import check_weak


def test_counts_of_the_demo(toy, tmp_path, capsys):
    check_weak.main(["--index", str(toy.index), "--weak", "scribble", "--counts", str(tmp_path / "check.json")])
    content = json.loads((tmp_path / "check.json").read_text())
    n = content["images"]
    assert n and content["with"] == {"boxes": n, "scribbles": n, "points": n, "tags": 0} and content["notes"] == {}
    assert f"{n} training images, {n} with boxes" in capsys.readouterr().out


def test_nothing_is_written_where_labels_are_missing(toy, tmp_path):
    content = json.loads(toy.index.read_text())
    for record in content["records"]:
        record["kinds"].remove("point")
    (tmp_path / "index.json").write_text(json.dumps(content))
    with pytest.raises(DatasetError, match="no points for training image scene_0000, which has boxes, scribbles"):
        check_weak.main(
            ["--index", str(tmp_path / "index.json"), "--weak", "point", "--counts", str(tmp_path / "c.json")]
        )
    assert not (tmp_path / "c.json").exists()
