"""The road to instances on the toy: masks of boxes, Mask R-CNN, detections, average precision."""

import json

import numpy as np
import pytest

from tests.messages import raises
from wsss_stages import training
from wsss_stages.a2gnn.instances import box_masks
from wsss_stages.data import instances, rle
from wsss_stages.data.index import Index
from wsss_stages.nets.mask_rcnn import Detector
from wsss_stages.shards.manifest import Manifest
from wsss_stages.stages import s6_instance_masks, s7_instances, s8_detect, s9_instances
from wsss_stages.store import artifacts, contracts
from wsss_stages.training import checkpoints

SMALL = ["--backbone", "tiny", "--backbone-weights", "none", "--epochs", "1", "--crop", "96", "--batch-size", "4", "--workers", "0", "--width", "16",
         "--hidden", "32", "--mask-layers", "1", "--proposals", "40", "--samples", "16"]  # fmt: skip


class KilledError(Exception):
    pass


def masks(toy, out, *more):
    argv = ["--index", toy.index, "--pseudo", toy.manifest("s6_propagate"), "--instances", out, *more]
    s6_instance_masks.main([str(a) for a in argv])
    return json.loads(out.read_text())


def detector(toy, made, root):
    weights = root / "weights.safetensors"
    argv = ["--index", toy.index, "--instances", made, "--weights", weights, *SMALL]
    s7_instances.main([str(a) for a in argv])
    return weights


def detect(toy, weights, manifest):
    argv = ["--index", toy.index, "--weights", weights, "--manifest", manifest, "--min-score", "0"]
    s8_detect.main([str(a) for a in argv])


def score(index, manifest, out):
    argv = ["--index", index, "--manifests", manifest, "--scores", out / "average_precision.json"]
    s9_instances.main([str(a) for a in argv])
    return json.loads((out / "average_precision.json").read_text())


@pytest.fixture(scope="module")
def road(toy, tmp_path_factory):
    """Folder with everything that the road leaves behind."""
    root = tmp_path_factory.mktemp("instances")
    masks(toy, root / "instances.json")
    detector(toy, root / "instances.json", root)
    detect(toy, root / "weights.safetensors", root / "1-of-1.json")
    score(toy.index, root / "1-of-1.json", root)
    return root


def test_masks_are_those_of_the_pseudo_labels_in_their_boxes(toy, road):
    index, pseudo = Index.read(toy.index), Manifest([toy.manifest("s6_propagate")])
    found = instances.by_photo(json.loads((road / "instances.json").read_text()), index, "instances.json")
    for record in index.split("train"):
        boxes, classes = record.box_arrays()
        label = pseudo.read(record.id, contracts.PSEUDO)["label"]
        wanted = box_masks(label, boxes, classes, "smaller")
        objects = found[record.photo]
        assert objects.boxes == record.boxes and objects.classes == record.box_classes
        shown = wanted.any(axis=(1, 2))
        np.testing.assert_array_equal(objects.masks()[shown], wanted[shown])


def test_a_box_without_pixels_of_its_class_is_taken_whole_and_counted(toy, tmp_path):
    content = toy.read_index(toy.index)
    record = content["records"][0]
    absent = ({1, 2, 3, 4} - set(record["tags"])).pop()
    record["boxes"].append([3, 4, 20, 30])
    record["box_classes"].append(absent)
    toy.write_index(tmp_path / "index.json", content)
    made = masks(toy, tmp_path / "instances.json", "--index", tmp_path / "index.json")
    own = [a for a in made["annotations"] if a["image_id"] == 1][-1]
    assert own["bbox"] == [3, 4, 17, 26] and own["area"] == 17 * 26
    before = masks(toy, tmp_path / "before.json")["info"]["notes"]["boxes taken whole"]
    assert made["info"]["notes"]["boxes taken whole"] == before + 1


def test_truth_and_grabcut_can_be_learned_from_too(toy, tmp_path):
    index = Index.read(toy.index)
    truth = masks(toy, tmp_path / "truth.json", "--labels", "truth")
    wanted = [instances.true_objects(r, index)[0].sum() for r in index.split("train")]
    areas = np.zeros(len(wanted), int)
    for annotation in truth["annotations"]:
        areas[annotation["image_id"] - 1] += annotation["area"]
    assert areas.tolist() == wanted
    grabcut = masks(toy, tmp_path / "g.json", "--pseudo", toy.manifest("s3_seeds"), "--labels", "grabcut")
    boxes = sum(len(r.boxes) for r in index.split("train"))
    assert len(grabcut["annotations"]) == boxes and truth["annotations"] != grabcut["annotations"]


def test_images_without_numbered_masks_are_left_out_of_truth_and_named(toy, tmp_path, capsys):
    content = toy.read_index(toy.index)
    record = content["records"][0]
    record["instances"] = None
    toy.write_index(tmp_path / "index.json", content)
    made = masks(toy, tmp_path / "i.json", "--index", tmp_path / "index.json", "--labels", "truth")
    assert record["photo"] not in [image["file_name"] for image in made["images"]]
    assert made["info"]["notes"][instances.UNNUMBERED] == 1
    assert f"{instances.UNNUMBERED}: 1 ({record['id']})" in capsys.readouterr().out


def test_without_boxes_there_are_no_instances(toy, tmp_path):
    content = toy.read_index(toy.index)
    for record in content["records"]:
        record["boxes"], record["box_classes"], record["instances"] = [], [], None
    toy.write_index(tmp_path / "index.json", content)
    with raises(ValueError, "index.json", "has boxes", "weak: box"):
        masks(toy, tmp_path / "i.json", "--index", tmp_path / "index.json")
    with raises(ValueError, "index.json", "has true instances"):
        masks(toy, tmp_path / "i.json", "--index", tmp_path / "index.json", "--labels", "truth")
    assert not (tmp_path / "i.json").exists()


def test_the_same_training_is_the_same_bytes_and_other_masks_are_another(toy, road, tmp_path):
    again = detector(toy, road / "instances.json", tmp_path / "again")
    assert again.read_bytes() == (road / "weights.safetensors").read_bytes()
    masks(toy, tmp_path / "truth.json", "--labels", "truth")
    other = detector(toy, tmp_path / "truth.json", tmp_path / "truth")
    assert other.read_bytes() != again.read_bytes()
    assert training.read_provenance(other)["options"]["width"] == 16
    steps = toy.read(again.with_name("curve.json"))["steps"]
    assert len(steps) == 2 and all(step["loss_mask"] > 0 for step in steps)


def test_a_killed_training_ends_with_the_same_bytes(toy, road, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    losses, calls = Detector.losses, []

    def dies(*batch):
        calls.append(1)
        if len(calls) == 2:
            raise KilledError
        return losses(*batch)

    monkeypatch.setattr(Detector, "losses", dies)
    with pytest.raises(KilledError):
        detector(toy, road / "instances.json", tmp_path)
    assert (tmp_path / "checkpoint.pt").exists() and not (tmp_path / "weights.safetensors").exists()
    assert detector(toy, road / "instances.json", tmp_path).read_bytes() == (road / "weights.safetensors").read_bytes()
    assert len(calls) == 3


def test_a_dataset_with_nothing_to_learn_is_refused(toy, road, tmp_path):
    content = toy.read(road / "instances.json") | {"annotations": []}
    artifacts.write_sealed(tmp_path / "instances.json", content)
    with raises(training.TrainingError, "instances.json", "object", "training image"):
        detector(toy, tmp_path / "instances.json", tmp_path)


def test_detections_hold_to_their_contract_and_are_not_made_again(toy, road, tmp_path):
    index, manifest = Index.read(toy.index), Manifest([road / "1-of-1.json"])
    for record in index.split("val"):
        found = manifest.read(record.id, contracts.DETECTIONS)
        assert len(found["box"]) == len(found["ends"]) == len(rle.unpack(found, record.full_height, record.full_width))
        assert set(found["classes"].tolist()) <= {1, 2, 3, 4}
    files = sorted((road / "detections").iterdir())
    before = [(p.read_bytes(), p.stat().st_mtime_ns) for p in files]
    detect(toy, road / "weights.safetensors", road / "1-of-1.json")
    assert before == [(p.read_bytes(), p.stat().st_mtime_ns) for p in files]
    detect(toy, road / "weights.safetensors", tmp_path / "1-of-1.json")
    assert [b for b, _ in before] == [p.read_bytes() for p in sorted((tmp_path / "detections").iterdir())]


def test_scores_name_their_dataset_and_split(toy, road):
    found = toy.read(road / "average_precision.json")
    assert (
        found["images"] == 3
        and found["images_without_truth"] == 0
        and set(found["classes"]) == {"coin", "brick", "leaf", "cell"}
    )
    assert found["objects"] == 9 and 0 <= found["mean"]["ap_50"] <= 1
    results = toy.read(road / "detections.json")
    assert len(results) == found["detections"] and set(results[0]) == {
        "image_id", "category_id", "bbox", "score", "segmentation",
    }  # fmt: skip


def test_true_masks_as_detections_are_perfect(toy, road, tmp_path):
    index = Index.read(toy.index)
    items = {}
    for record in index.split("val"):
        found, classes, _ = instances.true_objects(record, index)
        path = tmp_path / "detections" / f"{record.id}.h5"
        arrays = rle.pack(found) | {
            "box": np.zeros((len(found), 4), np.float32),
            "score": np.linspace(0.9, 0.8, len(found), dtype=np.float32),
            "classes": classes,
        }
        artifacts.write(path, contracts.DETECTIONS, arrays, {})
        items[record.id] = {"detections": [f"detections/{record.id}.h5", artifacts.sha256(path)]}
    artifacts.write_sealed(tmp_path / "1-of-1.json", {"manifest": 1, "items": items, "notes": {}, "options": {}})
    mean = score(toy.index, tmp_path / "1-of-1.json", tmp_path)["mean"]
    assert mean["ap"] == mean["ap_75"] == pytest.approx(1) and mean["ap_large"] is None


def test_without_true_instances_there_are_no_numbers_instead_of_wrong_ones(toy, road, tmp_path, capsys):
    content = toy.read_index(toy.index)
    for record in content["records"]:
        record["instances"] = None
    toy.write_index(tmp_path / "index.json", content)
    found = score(tmp_path / "index.json", road / "1-of-1.json", tmp_path)
    val = Index.read(toy.index).splits["val"]
    assert f"{instances.UNNUMBERED}: 3 ({', '.join(val)})" in capsys.readouterr().out
    assert found["images"] == 0 and found["images_without_truth"] == 3 and found["mean"]["ap"] is None
