"""The export command: what it takes of a run, what it prints, and when it refuses."""

import json
import shutil
from collections import Counter

import numpy as np
import pytest

from tests.messages import lacking, raises
from wsss_stages.commands import export as command
from wsss_stages.data import rle
from wsss_stages.data.exporters.formats.yolo import Yolo
from wsss_stages.data.images import read_labels
from wsss_stages.data.index import Index
from wsss_stages.roads.exported import Pictures, Run
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import contracts


def run(*argv):
    command.main([str(word) for word in argv])


def test_pseudo_labels_of_a_run_with_their_confidence(toy, tmp_path, capsys):
    run(toy.root, "--to", "coco", "--out", tmp_path / "coco", "--objects")
    printed = capsys.readouterr().out
    content = json.loads((tmp_path / "coco/annotations/instances_train.json").read_text())
    index = Index.read(toy.full_index)
    assert len(content["images"]) == 8 and [c["name"] for c in content["categories"]] == index.classes[1:]
    assert not lacking(printed, f"{len(content['annotations'])} objects in 8 images", "IoU 1.0000 mean", "0 under 0.95")
    boxes = Counter(tuple(box) for record in index.split("train") for box in record.full_boxes().tolist())
    exported = [(x, y, x + w, y + h) for x, y, w, h in (a["bbox"] for a in content["annotations"])]
    assert Counter(exported) <= boxes and all(0 < a["score"] <= 1 for a in content["annotations"])


def test_records_beside_the_manifests_are_no_manifests(toy, tmp_path, capsys):
    """Snakemake's jobs leave them; the toy's do not."""
    for stage in ("s6_propagate", "index.json"):
        (tmp_path / "run").mkdir(exist_ok=True)
        source, copy = toy.root / stage, tmp_path / "run" / stage
        shutil.copytree(source, copy) if source.is_dir() else shutil.copy(source, copy)
    (tmp_path / "run/s6_propagate/train/1-of-1.json.made.json").write_text("{}")
    run(tmp_path / "run", "--to", "png", "--out", tmp_path / "png")
    assert "8 images" in capsys.readouterr().out


def test_classes_of_images_have_all_pixels_of_the_label(toy, tmp_path):
    run(toy.root, "--to", "png", "--out", tmp_path / "png")
    label = Manifest([toy.manifest("s6_propagate")])
    for record in Index.read(toy.full_index).split("train"):
        wanted = label.read(record.id, contracts.PSEUDO)["label"]
        assert (read_labels(tmp_path / "png/labels" / f"{record.id}.png") == wanted).all()
    assert not (tmp_path / "png/objects").exists()


def test_predictions_are_of_validation_and_their_parts_are_objects(toy, tmp_path, capsys):
    run(toy.root, "--to", "labelme", "--out", tmp_path / "out", "--what", "truth", "--objects", "--photographs")
    files = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert len([name for name in files if name.endswith(".json")]) == 11 and {
        "train.txt",
        "val.txt",
        "labels.txt",
    } < set(files)
    pictures = list(Pictures(Run.open(toy.root, "prediction", True), "prediction", True))
    assert len(pictures) == 3 and {picture.split for picture in pictures} == {"val"}
    for picture in pictures:
        parts = sum(thing.patch.full(picture.height, picture.width).astype(int) for thing in picture.things)
        assert (parts == (picture.labels > 0)).all()
    assert "11 images" in capsys.readouterr().out


def test_a_mask_that_comes_back_otherwise_is_counted(toy, tmp_path, capsys, monkeypatch):
    read = Yolo.read

    def spoilt(self, picture):
        patches = read(self, picture)
        patches[0].pixels[: len(patches[0].pixels) // 2] = False
        return patches

    monkeypatch.setattr(Yolo, "read", spoilt)
    run(toy.root, "--to", "yolo", "--out", tmp_path / "yolo", "--what", "truth", "--objects")
    assert "0 under" not in capsys.readouterr().out


def test_an_empty_export_is_an_error_and_leaves_nothing(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(Run, "open", classmethod(lambda cls, *_: cls(Index.read(toy.full_index), [])))
    with raises(ValueError, "nothing to export", "out"):
        run(toy.root, "--to", "cvat", "--out", tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_folder_with_files_is_not_written_into(toy, tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    with raises(ValueError, str(tmp_path), "new or empty"):
        run(toy.root, "--to", "png", "--out", tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "x"


def test_a_folder_that_is_no_run_is_named(toy, tmp_path):
    with raises(ValueError, "nothing", "index.json"):
        run(tmp_path / "nothing", "--to", "png", "--out", tmp_path / "out")
    (tmp_path / "index.json").write_bytes(toy.full_index.read_bytes())
    with raises(ValueError, "s6_propagate", "base"):
        run(tmp_path, "--to", "png", "--out", tmp_path / "out")


def test_detections_are_objects_where_the_instance_road_has_run(toy, monkeypatch):
    run = Run.open(toy.root, "prediction", True)
    record = run.records[0][1]
    masks = np.zeros((3, record.full_height, record.full_width), bool)
    for k in range(3):
        masks[k, 5 * k : 5 * k + 4, 2:9] = True
    scores = np.float32([0.9, 0.5, 0.4])
    arrays = {**rle.pack(masks), "classes": np.uint8([2, 1, 1]), "score": scores}
    run.detections = Manifest([])
    monkeypatch.setattr(run.detections, "read", lambda image_id, contract: arrays)
    run.records = run.records[:1]
    pictures = Pictures(run, "prediction", True)
    (picture,) = pictures
    found = [(thing.cls, thing.box, round(thing.score, 3)) for thing in picture.things]
    assert found == [(2, [2, 0, 9, 4], 0.9), (1, [2, 5, 9, 9], 0.5)]
    assert pictures.notes["detections with a score under 0.5, left out"].count == 1


@pytest.mark.parametrize("what", ["boxes", "truth"])
def test_only_the_index_is_wanted_for(toy, tmp_path, what):
    (tmp_path / "index.json").write_bytes(toy.full_index.read_bytes())
    made = list(Pictures(Run.open(tmp_path, what, True), what, True))
    assert len(made) == 11 and all(thing.box[0] < thing.box[2] for picture in made for thing in picture.things)
    assert all((picture.labels is None) == (what == "boxes") for picture in made)


def test_a_label_has_its_mean_confidence(toy):
    pictures = list(Pictures(Run.open(toy.root, "pseudo", False), "pseudo", False))
    made = Manifest([toy.manifest("s6_propagate")])
    picture = next(picture for picture in pictures if picture.things)
    confidence = made.read(picture.id, contracts.CONFIDENCE)["confidence"]
    for thing in picture.things:
        assert thing.score == pytest.approx(confidence[picture.labels == thing.cls].mean() / 65535, abs=1e-6)
        assert np.isfinite(thing.score)
