"""Weak labels of the demo, and what the importer makes of them."""

import json

import numpy as np

from tests.messages import raises
from wsss_stages.data.importers.voc import import_voc
from wsss_stages.data.index import Index
from wsss_stages.data.weak.completeness import missing
from wsss_stages.roads.weak_labels import CONNECTED
from wsss_stages.stages import simulate_weak


def draw(toy, out, *more):
    simulate_weak.main(["--index", str(toy.full_index), "--out", str(out), *map(str, more)])
    return out


def test_every_kind_is_read_again_and_agrees_with_truth(toy, tmp_path):
    out = draw(toy, tmp_path / "weak")
    before = Index.read(toy.full_index)
    index = import_voc("scenes", before.root, weak_root=out)
    for record in index.records.values():
        truth = record.truth_labels(index.root)
        assert record.kinds == ["box", "scribble", "point", "tag"]
        assert record.boxes == before.records[record.id].boxes, "tight boxes, as the demo's own"
        scribbles = index.scribble_labels(record)
        assert (truth[scribbles != 255] == scribbles[scribbles != 255]).all()
        assert all(truth[y, x] == cls for x, y, cls in record.points)
        assert record.tags == np.setdiff1d(np.unique(truth), (0, 255)).tolist()
    assert not any(missing(index, weak) for weak in ("box", "scribble", "point", "tag"))


def test_the_same_seed_draws_the_same_and_kinds_do_not_disturb_each_other(toy, tmp_path):
    first = draw(toy, tmp_path / "a", "--box-jitter", 0.2)
    second = draw(toy, tmp_path / "b", "--box-jitter", 0.2, "--kinds", "[point, box]")
    third = draw(toy, tmp_path / "c", "--box-jitter", 0.2, "--seed", 1)
    names = sorted(p.relative_to(second) for p in second.rglob("*") if p.is_file())
    assert [(first / n).read_bytes() for n in names] == [(second / n).read_bytes() for n in names]
    assert not (second / "Scribbles").exists() and not (second / "tags.csv").exists()
    assert json.loads((first / "points.json").read_text()) != json.loads((third / "points.json").read_text())


def test_the_dataset_itself_is_never_written_to(toy):
    root = Index.read(toy.full_index).root
    with raises(ValueError, f"--out {root}", "dataset"):
        draw(toy, root)


def test_images_without_truth_have_nothing_to_draw_from(toy, tmp_path):
    content = toy.read_index(toy.full_index)
    for record in content["records"]:
        record["truth"] = None
    toy.write_index(tmp_path / "index.json", content)
    with raises(ValueError, "index.json", "true mask", "SegmentationClass"):
        simulate_weak.main(["--index", str(tmp_path / "index.json"), "--out", str(tmp_path / "weak")])


def test_images_without_numbered_masks_are_named(toy, tmp_path, capsys):
    content = toy.read_index(toy.full_index)
    content["records"][1]["instances"] = None
    toy.write_index(tmp_path / "index.json", content)
    simulate_weak.main(["--index", str(tmp_path / "index.json"), "--out", str(tmp_path / "weak"), "--kinds", "[box]"])
    assert f"{CONNECTED}: 1 ({content['records'][1]['id']})" in capsys.readouterr().out
