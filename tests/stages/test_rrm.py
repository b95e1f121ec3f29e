"""RRM on the toy's tags: training, labels of the training images, one-step and two-step predictions, scores, report."""

import numpy as np
import pytest
import torch

from tests.messages import raises
from wsss_stages import training
from wsss_stages.config import options
from wsss_stages.data.index import Index
from wsss_stages.nets import backbones
from wsss_stages.nets.classifier import SeamClassifier
from wsss_stages.rrm.net import RrmNet
from wsss_stages.shards.manifest import Manifest
from wsss_stages.stages import (
    report,
    rrm_label,
    rrm_train,
    s3_seeds,
    s7_segment,
    s8_predict,
    s9_evaluate,
    s9_review,
    weak_index,
)
from wsss_stages.store import artifacts, contracts
from wsss_stages.training import checkpoints, networks

TERMS = {"classification", "cross_entropy", "dense_energy", "class_distance"}
BENCHMARKS = ("rrm/rrm_train.tsv", "rrm/rrm_label/train/1-of-1.tsv")


class Run:
    """The toy's images under their tags alone."""

    def __init__(self, toy, root):
        self.toy, self.root, self.index = toy, root, root / "index.json"
        self.weights = root / "rrm_train" / "weights.safetensors"
        weak_index.main(["--index", str(toy.full_index), "--weak", "tag", "--out", str(self.index)])
        s3_seeds.main(self.argv("--cam", toy.manifest("s2_cam"), "--manifest", self.manifest("s3_seeds")))
        rrm_train.main(self.training(self.weights))
        rrm_label.main(self.labelling(self.manifest("rrm_label")))

    def manifest(self, stage, split="train"):
        return self.root / stage / split / "1-of-1.json"

    def argv(self, *more):
        return ["--index", str(self.index), *map(str, more)]

    def training(self, weights):
        return self.argv(
            "--weights", weights, "--backbone", "tiny", "--channels", 16, "--epochs", 3, "--class-epochs", 1, "--scales", [1.0],
            "--crop", 96, "--batch-size", 4, "--workers", 0, "--crf.iterations", 2,
        )  # fmt: skip

    def labelling(self, manifest, weights=None):
        return self.argv("--weights", weights or self.weights, "--manifest", manifest, "--scales", [1.0])

    def segmenting(self, weights, labels, stage):
        return self.argv(
            "--pseudo", self.manifest(stage), "--weights", weights, "--labels", labels, "--backbone", "tiny",
            "--backbone-weights", "none", "--epochs", 1, "--head-channels", 16, "--crop", 96, "--batch-size", 4, "--workers", 0,
        )  # fmt: skip


@pytest.fixture(scope="module")
def run(toy, tmp_path_factory):
    return Run(toy, tmp_path_factory.mktemp("rrm"))


def test_the_classification_branch_learns_alone_at_first(run):
    curve = run.toy.read(run.weights.with_name("curve.json"))
    terms = [set(step) - {"step", "lr"} for step in curve["steps"]]
    joint = TERMS | set(curve["shown"])
    assert (
        terms == [{"classification"}] * 2 + [joint - {"class_distance"}] + [joint] * 3
    )  # the class distance grows from 0
    assert curve["shown"] == ["background_share", "foreground_share", "classes_lost"]
    assert all(0 <= step[name] <= 1 for step in curve["steps"][2:] for name in curve["shown"])
    assert all(step["background_share"] > 0 for step in curve["steps"][2:])
    assert run.toy.read(run.weights.with_name("pace.json"))["seconds_per_step"] > 0


def started(run, weights, *more):
    """The network and the layers before the first step of a training on the classifier."""
    with pytest.MonkeyPatch.context() as context:
        jobs = []
        context.setattr(training, "fit", lambda job, *_: jobs.append(job) or 0.0)
        rrm_train.main([*run.training(weights), "--start", "classifier", *map(str, more)])
    return jobs[0]


def test_it_may_start_on_the_trained_classifier(run, tmp_path):
    job = started(run, tmp_path / "weights.safetensors", "--classifier", run.toy.classifier, "--class-epochs", 0)
    classifier, _ = networks.restore_classifier(run.toy.classifier)
    assert torch.equal(job.network.tag.weight, classifier.head.weight)
    trained, own = (net.backbone.state_dict() for net in (classifier, job.network))
    assert trained.keys() == own.keys() and all(torch.equal(own[name], trained[name]) for name in own)
    assert [group.begins for group in job.groups] == [0, 0, 0] and job.graded_from == 0


def test_the_last_layer_of_a_seam_classifier_has_a_row_more(run, tmp_path, monkeypatch):
    network = SeamClassifier(backbones.build("tiny", 16, True), 4)
    known = training.read_provenance(run.toy.classifier)
    monkeypatch.setattr(networks, "restore_classifier", lambda path: (network, known))
    found, whence = networks.build_rrm_on(run.toy.classifier, 5, options.Rrm(channels=8))
    assert torch.equal(found.tag.weight, network.head.weight[1:])
    assert whence["classifier"] == artifacts.sha256(run.toy.classifier) and whence["backbone"] == "tiny"


def test_a_start_without_its_weights_or_with_those_of_other_classes_is_reported(run, tmp_path):
    weights = tmp_path / "weights.safetensors"
    with raises(ValueError, "--start classifier", "--classifier None", "weights of s1_classifier"):
        started(run, weights)
    with raises(ValueError, "--start backbone", f"--classifier {run.toy.classifier}"):
        rrm_train.main([*run.training(weights), "--classifier", str(run.toy.classifier)])
    with raises(artifacts.ContractError, str(run.toy.classifier), "4 classes", "8", "--classifier"):
        networks.build_rrm_on(run.toy.classifier, 9, options.Rrm(channels=8))


def test_a_killed_training_ends_with_the_same_bytes(run, tmp_path, monkeypatch):
    class KilledError(Exception):
        pass

    def killing(*arguments, save=checkpoints.save):
        save(*arguments)
        if arguments[4].step == 3:
            raise KilledError

    again = tmp_path / "weights.safetensors"
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    with monkeypatch.context() as context, pytest.raises(KilledError):
        context.setattr(checkpoints, "save", killing)
        rrm_train.main(run.training(again))
    assert not again.exists()
    rrm_train.main(run.training(again))
    assert again.read_bytes() == run.weights.read_bytes()
    assert again.with_name("curve.json").read_bytes() == run.weights.with_name("curve.json").read_bytes()


def test_labels_are_of_the_photographs_size_and_among_the_tags(run):
    manifest = Manifest([run.manifest("rrm_label")])
    for record in Index.read(run.index).split("train"):
        for contract in (contracts.RRM_BRANCH, contracts.RRM_LABEL):
            label = manifest.read(record.id, contract)["label"]
            assert label.shape == (record.full_height, record.full_width)
            assert set(np.unique(label)) <= {0, *record.tags}


def test_a_finished_shard_is_not_made_again_and_another_run_gives_the_same_bytes(run, tmp_path):
    files = sorted(run.manifest("rrm_label").parent.rglob("*.png"))
    before = [path.stat().st_mtime_ns for path in files]
    rrm_label.main(run.labelling(run.manifest("rrm_label")))
    assert before == [path.stat().st_mtime_ns for path in files]
    rrm_label.main(run.labelling(tmp_path / "1-of-1.json"))
    again = [tmp_path / path.relative_to(run.manifest("rrm_label").parent) for path in files]
    assert [p.read_bytes() for p in files] == [p.read_bytes() for p in again]


def test_without_crf_both_labels_are_the_branchs(run, tmp_path):
    rrm_label.main([*run.labelling(tmp_path / "1-of-1.json"), "--crf.iterations", "0"])
    manifest, with_crf = Manifest([tmp_path / "1-of-1.json"]), Manifest([run.manifest("rrm_label")])
    for image in manifest.items:
        branch, label = (manifest.read(image, c)["label"] for c in (contracts.RRM_BRANCH, contracts.RRM_LABEL))
        assert np.array_equal(branch, label)
        assert np.array_equal(branch, with_crf.read(image, contracts.RRM_BRANCH)["label"])
    changed = [
        (with_crf.read(i, contracts.RRM_BRANCH)["label"] != with_crf.read(i, contracts.RRM_LABEL)["label"]).any()
        for i in manifest.items
    ]
    assert any(changed)


@pytest.mark.parametrize("labels, stage", [("rrm", "rrm_label"), ("cam", "s3_seeds")])
def test_the_segmenter_learns_from_its_labels_or_the_cams(run, tmp_path, labels, stage):
    weights = tmp_path / "weights.safetensors"
    s7_segment.main(run.segmenting(weights, labels, stage))
    assert training.read_provenance(weights)["options"]["labels"] == labels
    assert weights.read_bytes() != run.toy.segmenter.read_bytes()


def test_the_segmenter_misses_its_labels_by_name(run, tmp_path):
    with raises(training.TrainingError, "8 of 8", "no rrm_label", "--pseudo", "manifests of rrm_label"):
        s7_segment.main(run.segmenting(tmp_path / "weights.safetensors", "rrm", "s3_seeds"))


def test_its_own_predictions_are_scored(run, tmp_path):
    network, known = networks.restore_segmenter(run.weights)
    assert isinstance(network, RrmNet) and not network.training and known["stage"] == "rrm_train"
    out, scores = tmp_path / "1-of-1.json", tmp_path / "scores.json"
    s8_predict.main(run.argv("--weights", run.weights, "--manifest", out, "--network", "rrm", "--scales", [1.0]))
    s9_evaluate.main(run.argv("--manifests", out, "--split", "val", "--scores", scores))
    assert run.toy.read(scores)["rows"]["prediction"]["miou"] is not None


def test_weights_of_another_network_are_refused(run, tmp_path):
    predict = ("--manifest", tmp_path / "1-of-1.json", "--weights")
    for weights, network, wanted in ((run.weights, "segmenter", "s7_segment"), (run.toy.segmenter, "rrm", "rrm_train")):
        with raises(artifacts.ContractError, str(weights), f"of {wanted}", f"--network {network}"):
            s8_predict.main(run.argv(*predict, weights, "--network", network))
    with raises(artifacts.ContractError, str(run.toy.segmenter), "weights of s7_segment", "of rrm_train"):
        rrm_label.main(run.labelling(tmp_path / "1-of-1.json", run.toy.segmenter))


def test_a_dataset_without_tags_is_reported(run, tmp_path):
    content = run.toy.read_index(run.index)
    for record in content["records"]:
        record["tags"] = []
    run.toy.write_index(tmp_path / "index.json", content)
    argv = run.training(tmp_path / "weights.safetensors")
    argv[1] = str(tmp_path / "index.json")
    with raises(training.TrainingError, "index.json", "tag", "tags.csv"):
        rrm_train.main(argv)


def test_scores_report_and_review_know_its_labels_beside_the_cams(run, tmp_path):
    manifests = [run.manifest("s3_seeds"), run.manifest("rrm_label")]
    scores = tmp_path / "scores.json"
    s9_evaluate.main(run.argv("--manifests", *manifests, "--split", "train", "--scores", scores))
    rows = run.toy.read(scores)["rows"]
    assert set(rows) == {"cam_label", "seeds", "seeds_full", "rrm_branch", "rrm_label"}
    s9_review.main(run.argv("--manifests", *manifests, "--images", 3, "--folder", tmp_path / "review"))
    lines = (tmp_path / "review" / "review_first.csv").read_text().splitlines()
    assert len(lines) == 9 and "agreement_rrm_label" in lines[0] and all(line.split(",")[1] for line in lines)
    for path in BENCHMARKS:
        (tmp_path / "benchmarks" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "benchmarks" / path).write_text("s\th:m:s\tmax_rss\n12.5\t0:00:12\t300.0\n")
    report.main(
        run.argv(
            "--manifests", run.toy.manifest("s2_cam"), *manifests, "--segmenter", run.weights, "--scores", scores, "--curves",
            run.weights.with_name("curve.json"), "--benchmarks", *(tmp_path / "benchmarks" / path for path in BENCHMARKS),
            "--images", 3, "--folder", tmp_path / "report",
        )
    )  # fmt: skip
    assert (tmp_path / "report" / "rows.png").exists() and (tmp_path / "report" / "curves.png").exists()
    costs = (tmp_path / "report" / "costs.html").read_text()
    assert "<td>rrm_train</td><td>1</td>" in costs and "<td>rrm_label</td><td>1</td>" in costs


def test_the_review_of_cams_alone_has_no_scores(run, tmp_path):
    s9_review.main(run.argv("--manifests", run.manifest("s3_seeds"), "--images", 2, "--folder", tmp_path))
    lines = (tmp_path / "review_first.csv").read_text().splitlines()
    assert len(lines) == 9 and not any(line.split(",")[1] for line in lines[1:])
