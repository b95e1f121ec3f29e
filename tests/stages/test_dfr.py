"""DFR on the toy's scribbles: training, predictions, scores, report, and what it says when it cannot."""

import numpy as np
import pytest

from tests.messages import raises
from wsss_stages import training
from wsss_stages.dfr.net import DfrNet
from wsss_stages.stages import dfr_train, report, s8_predict, s9_evaluate, s9_review, weak_index
from wsss_stages.store import artifacts
from wsss_stages.training import checkpoints, networks

TERMS = {"cross_entropy", "dfr", "feature_distance", "feature_smooth"}
SMALL = [
    "--backbone", "tiny", "--backbone-weights", "none", "--channels", 8, "--features", 8, "--radius", 2, "--epochs", 3, "--gamma", 0.3,
    "--crop", 64, "--batch-size", 4, "--workers", 0,
]  # fmt: skip


class Run:
    """The toy's images under their scribbles alone."""

    def __init__(self, toy, root):
        self.toy, self.root, self.index = toy, root, root / "index.json"
        self.weights = root / "dfr_train" / "weights.safetensors"
        weak_index.main(["--index", str(toy.full_index), "--weak", "scribble", "--out", str(self.index)])
        dfr_train.main(self.training(self.weights))
        self.predicted = {split: root / "s8_predict" / split / "1-of-1.json" for split in ("train", "val")}
        for split, manifest in self.predicted.items():
            s8_predict.main(self.predicting(manifest, "dfr", self.weights, "--split", split))

    def argv(self, *more):
        return ["--index", str(self.index), *map(str, more)]

    def training(self, weights, *more):
        return self.argv("--weights", weights, *SMALL, *more)

    def predicting(self, manifest, network, weights, *more):
        return self.argv("--weights", weights, "--manifest", manifest, "--network", network, "--scales", [1.0], *more)

    def terms(self, weights):
        steps = self.toy.read(weights.with_name("curve.json"))["steps"]
        return [set(step) - {"step", "lr"} for step in steps]


@pytest.fixture(scope="module")
def run(toy, tmp_path_factory):
    return Run(toy, tmp_path_factory.mktemp("dfr"))


def test_all_terms_but_the_kernels_are_learned_from_the_beginning(run):
    assert run.terms(run.weights) == [TERMS - {"dfr"}] * 2 + [TERMS] * 4  # its weight grows after a third of the steps
    known = training.read_provenance(run.weights)
    assert known["stage"] == "dfr_train" and known["options"]["gamma"] == 0.3 and known["origin"]["source"] == "none"


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
        dfr_train.main(run.training(again))
    assert not again.exists()
    dfr_train.main(run.training(again))
    assert again.read_bytes() == run.weights.read_bytes()


def test_norms_are_not_decayed_and_batches_go_in_parts(run, tmp_path, monkeypatch):
    jobs = []
    monkeypatch.setattr(training, "fit", lambda job, *_: jobs.append(job) or 0.0)
    dfr_train.main(run.training(tmp_path / "weights.safetensors", "--accumulate", 2))
    (job,) = jobs
    names = {id(p): n for n, p in job.network.named_parameters()}
    assert job.parts == 2 and {names[id(p)] for p in job.undecayed} > {"classify.1.weight", "fuse.top.1.bias"}
    assert not {"classify.0.weight", "feature.0.weight"} & {names[id(p)] for p in job.undecayed}


@pytest.mark.parametrize(
    "more, terms",
    [
        (["--dfr-weight", 0], {"cross_entropy"}),
        (["--kernel", "[position, colour]"], {"cross_entropy", "dfr"}),
        (["--smooth-weight", 0, "--supervision", "both"], TERMS - {"feature_smooth"}),
        (["--labels", "truth", "--dfr-weight", 0], {"cross_entropy"}),
        (["--blocks", "[4]", "--scribble-share", 0.3], TERMS),
    ],
)
def test_variants_learn_from_what_they_name(run, tmp_path, more, terms):
    weights = tmp_path / "weights.safetensors"
    dfr_train.main(run.training(weights, "--epochs", 1, "--ramp-begins", 0, "--ramp-ends", 0, *more))
    assert run.terms(weights) == [terms] * 2
    network, _ = networks.restore_segmenter(weights)
    assert (network.feature is None) == ("feature_distance" not in terms)


def test_shorter_scribbles_label_fewer_pixels(run, tmp_path, monkeypatch):
    seen = {}

    def fit(job, *_):
        images = [job.sample(item, np.random.default_rng(len(job.item_id(item)))) for item in job.items]
        seen[job.options.scribble_share] = sum(int((image["labels"] != 255).sum()) for image in images)
        return 0.0

    monkeypatch.setattr(training, "fit", fit)
    for share in (1.0, 0.5, 0.0):
        dfr_train.main(run.training(tmp_path / "weights.safetensors", "--scribble-share", share))
    assert 0 < seen[0.0] < 0.35 * seen[1.0] and 0.3 * seen[1.0] < seen[0.5] < 0.75 * seen[1.0]


def test_its_predictions_are_scored_on_both_splits(run, tmp_path):
    network, known = networks.restore_segmenter(run.weights)
    assert isinstance(network, DfrNet) and not network.training and known["stage"] == "dfr_train"
    for split, manifest in run.predicted.items():
        scores = tmp_path / f"{split}.json"
        s9_evaluate.main(run.argv("--manifests", manifest, "--split", split, "--scores", scores))
        rows = run.toy.read(scores)["rows"]
        assert set(rows) == {"prediction", "prediction_known"} and rows["prediction"]["miou"] is not None


def test_weights_of_another_network_are_refused(run, tmp_path):
    pairs = ((run.weights, "segmenter", "s7_segment"), (run.toy.segmenter, "dfr", "dfr_train"))
    for weights, network, wanted in pairs:
        with raises(artifacts.ContractError, str(weights), f"of {wanted}", f"--network {network}"):
            s8_predict.main(run.predicting(tmp_path / "1-of-1.json", network, weights))


def test_report_and_review_need_no_cams(run, tmp_path):
    scores = tmp_path / "scores.json"
    s9_evaluate.main(run.argv("--manifests", run.predicted["train"], "--split", "train", "--scores", scores))
    s9_review.main(run.argv("--manifests", run.predicted["train"], "--images", 3, "--folder", tmp_path / "review"))
    lines = (tmp_path / "review" / "review_first.csv").read_text().splitlines()
    assert len(lines) == 9 and "agreement_prediction" in lines[0]
    benchmark = tmp_path / "benchmarks" / "dfr" / "dfr_train.tsv"
    benchmark.parent.mkdir(parents=True)
    benchmark.write_text("s\th:m:s\tmax_rss\n12.5\t0:00:12\t300.0\n")
    report.main(
        run.argv(
            "--manifests", run.predicted["train"], "--segmenter", run.weights, "--scores", scores, "--curves",
            run.weights.with_name("curve.json"), "--benchmarks", benchmark, "--images", 3, "--folder", tmp_path / "report",
        )
    )  # fmt: skip
    assert (tmp_path / "report" / "rows.png").exists()
    assert "<td>dfr_train</td><td>1</td>" in (tmp_path / "report" / "costs.html").read_text()


def without(run, tmp_path, *fields):
    content = run.toy.read_index(run.index)
    for record in content["records"]:
        record.update(dict.fromkeys(fields))
    path = tmp_path / "index.json"
    run.toy.write_index(path, content)
    return path


def test_images_without_scribbles_or_truth_are_reported(run, tmp_path):
    argv = run.training(tmp_path / "weights.safetensors")
    argv[1] = str(without(run, tmp_path, "scribbles"))
    with raises(training.TrainingError, "8 of 8", "no scribbles", "weak: scribble"):
        dfr_train.main(argv)
    argv[1] = str(without(run, tmp_path, "truth"))
    with raises(training.TrainingError, "index.json", "truth", "--labels scribbles"):
        dfr_train.main([*argv, "--labels", "truth"])


def test_the_stage_by_itself_wants_a_backbone_and_weights(run, tmp_path):
    with raises(ValueError, "--backbone ''", "--backbone-weights ''", "name of a backbone"):
        dfr_train.main(run.argv("--weights", tmp_path / "weights.safetensors"))
