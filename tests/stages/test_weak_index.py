"""The index of one kind of weak label; too few of them are reported before anything is trained."""

from tests.messages import lacking, raises
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.index import Index
from wsss_stages.stages import weak_index


def only(toy, weak, out, index=None):
    weak_index.main(["--index", str(index or toy.full_index), "--weak", weak, "--out", str(out)])
    return Index.read(out)


def test_a_run_sees_its_own_kind_and_the_tags(toy, tmp_path, capsys):
    before = Index.read(toy.full_index)
    for weak in ("box", "scribble", "point", "tag"):
        index = only(toy, weak, tmp_path / f"{weak}.json")
        assert index.weak == weak and index.splits == before.splits
        for name, record in index.records.items():
            full = before.records[name]
            assert record.boxes == (full.boxes if weak == "box" else []) and record.tags == full.tags
            assert record.points == (full.points if weak == "point" else [])
            assert record.scribbles == (full.scribbles if weak == "scribble" else None)
            assert record.truth == full.truth
    n = len(before.splits["train"])
    assert not lacking(capsys.readouterr().out, f"{n} training images", f"{n} with boxes", f"{n} with scribbles")


def test_labels_of_another_kind_do_not_touch_a_run(toy, tmp_path):
    content = toy.read_index(toy.full_index)
    for record in content["records"]:
        record["points"] = record["points"][:-1]
    toy.write_index(tmp_path / "index.json", content)
    first, second = (
        only(toy, "box", tmp_path / "a.json"),
        only(toy, "box", tmp_path / "b.json", tmp_path / "index.json"),
    )
    assert [r.evidence() for r in first.records.values()] == [r.evidence() for r in second.records.values()]


def test_nothing_is_written_where_labels_are_missing(toy, tmp_path):
    content = toy.read_index(toy.full_index)
    for record in content["records"]:
        record["kinds"].remove("point")
    toy.write_index(tmp_path / "index.json", content)
    with raises(DatasetError, "no points", "training image scene_0000", "boxes, scribbles"):
        only(toy, "point", tmp_path / "out.json", tmp_path / "index.json")
    assert not (tmp_path / "out.json").exists()
