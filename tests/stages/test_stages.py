"""Every stage's main() on a toy: artifacts hold to their contracts, runs are repeatable, errors help."""

import shutil

import numpy as np
import pytest

from tests.messages import raises
from wsss_stages import pseudo_labels, training
from wsss_stages.data.index import Index
from wsss_stages.roads import predictions
from wsss_stages.shards.manifest import Manifest
from wsss_stages.shards.shard import Shard
from wsss_stages.stages import (
    s2_cam,
    s3_masks,
    s3_seeds,
    s4_object_net,
    s5_graph,
    s5_object_masks,
    s6_propagate,
    s8_predict,
    s9_evaluate,
)
from wsss_stages.store import artifacts, contracts

MAKERS = {
    "s2_cam": s2_cam,
    "s3_masks": s3_masks,
    "s3_seeds": s3_seeds,
    "s5_graph": s5_graph,
    "s5_object_masks": s5_object_masks,
    "s6_propagate": s6_propagate,
    "s8_predict": s8_predict,
}


OTHER_ROADS = (
    contracts.EXPANDED,
    contracts.DETECTIONS,
    contracts.RRM_BRANCH,
    contracts.RRM_LABEL,
    contracts.MIDDLE,
    contracts.DEEP,
)
OF_BOXES = [c for c in contracts.ALL.values() if c not in OTHER_ROADS]


def labels_of(record, contract, classes):
    """Return what a label map of an image may hold; a prediction has no pixel that is unknown, and knows no tags but one kind of it."""
    if contract is contracts.PREDICTION or (contract is contracts.PREDICTION_KNOWN and not record.tags):
        return set(range(classes))
    return {0, *record.tags} if contract is contracts.PREDICTION_KNOWN else {0, *record.tags, 255}


@pytest.mark.parametrize("contract", OF_BOXES, ids=lambda c: c.name)
def test_every_artifact_of_every_image_holds_to_its_contract(toy, contract):
    index = Index.read(toy.index)
    split = "val" if contract.made_by == "s8_predict" else "train"
    manifest = Manifest([toy.manifest(contract.made_by, split)])
    for record in index.split(split):
        arrays = manifest.read(record.id, contract)
        if "label" in contract.fields:
            assert arrays["label"].shape == (record.height, record.width)
            assert set(np.unique(arrays["label"])) <= labels_of(record, contract, len(index.classes))


@pytest.mark.parametrize("stage", MAKERS)
def test_a_finished_shard_is_not_made_again_and_another_run_gives_the_same_bytes(toy, stage, tmp_path):
    split = "val" if stage == "s8_predict" else "train"
    first = toy.manifest(stage, split)
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in first.parent.rglob("*.*") if p != first}
    MAKERS[stage].main(toy.argv(stage))
    assert before == {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in first.parent.rglob("*.*") if p != first}
    MAKERS[stage].main(toy.argv(stage, tmp_path))
    second = toy.manifest(stage, split, tmp_path)
    assert {p.relative_to(first.parent): b for p, (b, _) in before.items()} == {
        p.relative_to(second.parent): p.read_bytes() for p in second.parent.rglob("*.*") if p != second
    }
    assert first.read_bytes() == second.read_bytes()


def test_the_number_of_shards_changes_nothing(toy, tmp_path):
    whole = Manifest([toy.manifest("s3_seeds")])
    cams = [tmp_path / "s2_cam" / "train" / f"{k}-of-2.json" for k in (1, 2)]
    for cam in cams:
        argv = toy.argv("s2_cam")
        argv[argv.index("--manifest") + 1] = str(cam)
        s2_cam.main(argv)
    for cam in cams:
        argv = toy.argv("s3_seeds")
        argv[argv.index("--cam") + 1] = str(cam)
        argv[argv.index("--manifest") + 1] = str(tmp_path / "s3_seeds" / "train" / cam.name)
        s3_seeds.main([*argv, "--cams", *map(str, cams)])
    halves = [Manifest([tmp_path / "s3_seeds" / "train" / f"{k}-of-2.json"]) for k in (1, 2)]
    assert all(h.items for h in halves) and len(whole.items) == 8
    together = {i: {n: sha for n, (_, sha) in f.items()} for h in halves for i, f in h.items.items()}
    assert together == {i: {n: sha for n, (_, sha) in f.items()} for i, f in whole.items.items()}


def test_images_of_one_size_share_a_batch_and_keep_their_cams(toy, tmp_path):
    s2_cam.main([*toy.argv("s2_cam", tmp_path), "--batch-pixels", str(4 * 300 * 300)])
    alone, together = Manifest([toy.manifest("s2_cam")]), Manifest([toy.manifest("s2_cam", root=tmp_path)])
    index = Index.read(toy.index)
    for record in index.split("train"):
        found, wanted = (manifest.read(record.id, contracts.CAM) for manifest in (together, alone))
        np.testing.assert_array_equal(found["classes"], wanted["classes"])
        np.testing.assert_allclose(found["cam"], wanted["cam"], atol=2e-3)
    shard = Shard("s2_cam", (contracts.CAM,), index, "train", tmp_path / "1-of-1.json", {}, [])
    batches = shard.batches(lambda record: record.height * record.width, 4 * 300 * 300, one_size=True)
    assert all(len({item.size for item in batch}) == 1 for batch in batches)
    assert 1 < max(len(batch) for batch in batches) and sum(len(batch) for batch in batches) == 8


def test_a_changed_option_remakes_every_image(toy, tmp_path):
    s3_seeds.main(toy.argv("s3_seeds", tmp_path))
    manifest = toy.manifest("s3_seeds", root=tmp_path)
    before = {p: p.stat().st_mtime_ns for p in manifest.parent.rglob("*.png")}
    s3_seeds.main([*toy.argv("s3_seeds", tmp_path), "--keep", "0.9"])
    assert all(p.stat().st_mtime_ns > t for p, t in before.items())


def test_a_damaged_artifact_is_remade(toy, tmp_path):
    s3_seeds.main(toy.argv("s3_seeds", tmp_path))
    manifest = toy.manifest("s3_seeds", root=tmp_path)
    path = sorted(manifest.parent.rglob("seeds/*.png"))[0]
    good = path.read_bytes()
    path.write_bytes(good[:50])
    s3_seeds.main(toy.argv("s3_seeds", tmp_path))
    assert path.read_bytes() == good


def test_an_artifact_that_changed_behind_the_manifest_is_refused(toy, tmp_path):
    cams = tmp_path / "s2_cam" / "train"
    shutil.copytree(toy.manifest("s2_cam").parent, cams)
    record = Index.read(toy.index).split("train")[0]
    path = cams / "cam" / f"{record.id}.h5"
    arrays, meta = artifacts.read(path, contracts.CAM)
    artifacts.write(path, contracts.CAM, {**arrays, "cam": 1 - arrays["cam"]}, meta)
    argv = toy.argv("s3_seeds", tmp_path)
    argv[argv.index("--cam") + 1] = str(cams / "1-of-1.json")
    with raises(artifacts.ContractError, str(path), "changed", "s2_cam"):
        s3_seeds.main(argv)


def test_substitutions_are_counted(toy):
    notes = toy.read(toy.manifest("s3_seeds"))["notes"]
    records = Index.read(toy.index).split("train")
    assert notes["boxes"] == sum(len(r.boxes) for r in records) and "box_class_not_in_cam" in notes


def test_scores_have_a_row_per_label_map(toy):
    train = toy.read(toy.root / "s9_evaluate" / "train" / "scores.json")
    assert set(train["rows"]) == {
        "boxes",
        "cam_label",
        "grabcut",
        "checked",
        "seeds_full",
        "seeds",
        "random_walk",
        "graph_label",
        "pseudo",
    }
    assert train["images"] == 8 and train["rows"]["grabcut"]["miou"] > 0.5
    val = toy.read(toy.root / "s9_evaluate" / "val" / "scores.json")
    assert set(val["rows"]) == {"boxes", "prediction", "prediction_known"}
    assert len(val["rows"]["prediction"]["iou"]) == 5


@pytest.mark.parametrize("least", [1, 4, 6, 99])
def test_frequent_classes_are_those_that_so_many_training_images_show(toy, tmp_path, least):
    index, scores = Index.read(toy.index), tmp_path / "scores.json"
    argv = toy.argv("s9_evaluate")
    argv[argv.index("--scores") + 1] = str(scores)
    s9_evaluate.main([*argv, "--frequent-from", str(least)])
    found = toy.read(scores)
    shown = {name: sum(c in r.tags for r in index.split("train")) for c, name in enumerate(index.classes) if c}
    wanted = [name for name, images in shown.items() if images >= least]
    assert found["frequent"] == (["background", *wanted] if wanted else [])
    for row in found["rows"].values():
        values = [row["iou"][name] for name in found["frequent"] if row["iou"][name] is not None]
        assert row["miou_frequent"] == (pytest.approx(sum(values) / len(values)) if values else None)


def test_predictions_among_the_images_classes_are_the_most_likely_of_them(toy, monkeypatch, tmp_path):
    seen = []

    def multi_scale(*arguments, real=predictions.multi_scale):
        seen.append(real(*arguments))
        return seen[-1]

    monkeypatch.setattr(predictions, "multi_scale", multi_scale)
    s8_predict.main(toy.argv("s8_predict", tmp_path))
    manifest = Manifest([toy.manifest("s8_predict", "val", tmp_path)])
    records = list(Index.read(toy.index).split("val"))
    assert any(record.tags for record in records)
    for record, P in zip(records, seen, strict=True):
        P = P.numpy()
        best, known = (manifest.read(record.id, c)["label"] for c in (contracts.PREDICTION, contracts.PREDICTION_KNOWN))
        among = [0, *record.tags] if record.tags else range(len(P))
        for y, x in np.ndindex(*best.shape):
            if (y * x) % 7 == 0:
                assert best[y, x] == P[:, y, x].argmax()
                assert known[y, x] == max(among, key=lambda c, y=y, x=x: P[c, y, x])


def test_without_truth_scores_are_empty_instead_of_wrong(toy, tmp_path):
    content = toy.read_index(toy.index)
    for record in content["records"]:
        record["truth"] = None
    toy.write_index(tmp_path / "index.json", content)
    argv = toy.argv("s9_evaluate")
    argv[1], argv[-1] = str(tmp_path / "index.json"), str(tmp_path / "scores.json")
    s9_evaluate.main(argv)
    scores = toy.read(tmp_path / "scores.json")
    assert scores["images"] == 0 and scores["images_without_truth"] == 8 and scores["rows"]["pseudo"]["miou"] is None


def test_the_report_is_written(toy):
    pages = {p.name for p in (toy.root / "report").iterdir()}
    assert pages == {
        "rows.png",
        "scores.html",
        "confusion.png",
        "curves.png",
        "found.html",
        "affinity.html",
        "substitutions.html",
        "costs.html",
    }
    text = (toy.root / "report" / "scores.html").read_text()
    assert "train: pseudo" in text and "val: prediction" in text and "boundary IoU" in text
    assert "<td>s3_seeds</td><td>1</td><td>12.5</td><td>300.0</td>" in (toy.root / "report" / "costs.html").read_text()


def test_soft_masks_alone_are_the_pseudo_labels_where_nothing_is_mixed_in(toy, tmp_path):
    alone = ["--objects-share", "1", "--grabcut-share", "0", "--tight-share", "0", "--crf.iterations", "0"]
    s6_propagate.main([*toy.argv("s6_propagate", tmp_path), *alone])
    found, given = Manifest([toy.manifest("s6_propagate", root=tmp_path)]), Manifest([toy.manifest("s5_object_masks")])
    for record in Index.read(toy.index).split("train"):
        label = given.read(record.id, contracts.OBJECT_LABEL)["label"]
        np.testing.assert_array_equal(found.read(record.id, contracts.PSEUDO)["label"], label)


def test_soft_masks_that_are_asked_for_and_not_given_are_missed(toy, tmp_path):
    argv = toy.argv("s6_propagate", tmp_path)
    at = argv.index("--objects")
    with raises(ValueError, "--objects-share 0.5", "--objects", "manifest of s5_object_masks"):
        s6_propagate.main([*argv[:at], *argv[at + 2 :], "--objects-share", "0.5"])


def test_a_dataset_without_boxes_to_learn_from_is_reported(toy, tmp_path):
    content = toy.read_index(toy.index)
    for record in content["records"]:
        record["boxes"], record["box_classes"] = [[0, 0, 3, 3]], [1]
    toy.write_index(tmp_path / "index.json", content)
    argv = toy.argv("s4_object_net")
    argv[1] = str(tmp_path / "index.json")
    with raises(training.TrainingError, "index.json", "box", "4 pixels"):
        s4_object_net.main(argv)


def test_a_walk_of_no_steps_stays_at_its_seeds(toy, tmp_path):
    from wsss_stages.stages import s5_graph

    def labels(manifest, contract):
        paths = [manifest.parent / contract.name / f"{r.id}.png" for r in Index.read(toy.index).split("train")]
        return np.stack([artifacts.read(path, contract)[0]["label"] for path in paths])

    found = {}
    for contract in (contracts.GRABCUT, contracts.SEEDS):
        root = tmp_path / contract.name
        s5_graph.main([*toy.argv("s5_graph", root), "--walk-steps", "[0]", "--seeds", contract.name])
        found[contract.name] = labels(toy.manifest("s5_graph", root=root), contracts.RANDOM_WALK)
        given = labels(toy.manifest("s3_seeds"), contract)
        for known in (given == 0, (given > 0) & (given != 255)):
            assert known.any() and (found[contract.name] == given)[known].mean() > 0.8
    assert (found["grabcut"] != found["seeds"]).any()


def test_a_photograph_above_the_working_size_is_labelled_at_its_own(toy, tmp_path):
    large = type(toy)(tmp_path)
    large.classifier, large.object_net = toy.classifier, toy.object_net
    large.affinity, large.segmenter = toy.affinity, toy.segmenter
    index = Index.read(toy.index)
    index.splits = {split: ids[:2] for split, ids in index.splits.items()}
    index.records = {r.id: r.reduced(80) for r in index.records.values()}
    index.write(large.index)
    for stage in MAKERS.values():
        stage.main(large.argv(stage.__name__.rpartition(".")[2]))
    s9_evaluate.main(large.argv("s9_evaluate"))
    assert large.read(tmp_path / "s9_evaluate" / "train" / "scores.json")["images"] == 2
    at_full_size = (contracts.GRAPH_LABEL, contracts.PSEUDO, contracts.CONFIDENCE, contracts.PREDICTION)
    for contract in (contracts.GRABCUT, contracts.RANDOM_WALK, *at_full_size):
        split = "val" if contract.made_by == "s8_predict" else "train"
        manifest = Manifest([large.manifest(contract.made_by, split)])
        for record in index.split(split):
            (found,) = manifest.read(record.id, contract).values()
            full = (record.full_height, record.full_width)
            assert max(record.height, record.width) == 80 < max(full)
            assert found.shape == (full if contract in at_full_size else (record.height, record.width))


def test_one_image_in_a_notebook_has_the_label_of_the_run_but_for_the_draws(toy):
    index = Index.read(toy.index)
    record = index.split("train")[0]
    weights = {"object_net": toy.object_net, "affinity": toy.affinity}
    label, confidence = pseudo_labels(record.image(index.root), *record.box_arrays(), **weights)
    stored = Manifest([toy.manifest("s6_propagate")]).read(record.id, contracts.PSEUDO)["label"]
    assert (label == stored).mean() > 0.95
    assert confidence.shape == label.shape and 0 <= confidence.min() <= confidence.max() <= 1
