"""An export through the stage `data` and on: what later stages read of it."""

import numpy as np
import pytest

from tests.data.importers.tools.test_labelme import MASK, POLYGON, file, shape
from tests.messages import raises
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.index import Index
from wsss_stages.stages import data, weak_index


def stage(root, index, *flags):
    data.main(
        [str(word) for word in ("--root", root, "--index", index, "--dataset", "mine", "--kind", "labelme", *flags)]
    )
    return Index.read(index)


@pytest.fixture
def labelme(export):
    line = shape("linestrip", [[1, 1], [18, 1]], "dog")
    for name in "ab":
        export.photo(f"{name}.jpg")
        export.write(f"{name}.json", file(MASK, POLYGON, line, shape("point", [[12, 10]], "dog"), path=f"{name}.jpg"))
    export.write("val.txt", "b.jpg\n")
    export.write("train.txt", "a.jpg\n")
    return export


def test_later_stages_read_photographs_scribbles_and_truth_of_a_zip(labelme, tmp_path, capsys):
    index = stage(labelme.zip(), tmp_path / "results" / "index.json", "--max-side", "10", "--truth-list", "train")
    assert "1 train, 1 val images, 1 classes" in capsys.readouterr().out
    (record,) = index.split("train")
    assert record.image(index.root).shape == (8, 10, 3) and record.truth_labels(index.root).shape == (16, 20)
    assert set(np.unique(index.scribble_labels(record))) == {1, 255} and record.points == [[6, 5, 1]]
    for weak in ("box", "scribble", "point", "tag", "mixed"):
        out = tmp_path / weak / "index.json"
        weak_index.main(["--index", str(tmp_path / "results" / "index.json"), "--weak", weak, "--out", str(out)])
        (kept,) = Index.read(out).split("train")
        assert kept.kinds == {"mixed": ["box", "scribble", "point", "truth"], "tag": []}.get(weak, [weak])


def test_a_run_on_labels_that_the_export_lacks_is_refused_by_name(labelme, tmp_path):
    labelme.write("a.json", file(shape("point", [[12, 10]])))
    stage(labelme.root, tmp_path / "results" / "index.json")
    with raises(DatasetError, "training image a", "points"):
        weak_index.main(
            [
                "--index",
                str(tmp_path / "results/index.json"),
                "--weak",
                "box",
                "--out",
                str(tmp_path / "box/index.json"),
            ]
        )


def test_the_same_export_gives_the_same_index(labelme, tmp_path):
    first, second = (tmp_path / name / "index.json" for name in ("one", "two"))
    records = [{r.id: vars(r) for r in stage(labelme.root, path).records.values()} for path in (first, second)]
    for record in (*records[0].values(), *records[1].values()):
        for key in ("truth", "instances", "scribbles"):
            record[key] = record[key] and record[key].split("/truth/")[1]
    assert records[0] == records[1]
