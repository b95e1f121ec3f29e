"""SCL on the demo's scenes: episodes, maps, training with a choice of weights, scores, a user's folder, and bad input."""

import csv
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from wsss_stages import artifacts, contracts, figures, models, options, training
from wsss_stages.data.episodes import EpisodeError, Episodes
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.frozen import Frozen
from wsss_stages.data.images import read_labels
from wsss_stages.data.index import Index
from wsss_stages.data.squares import image_on_square
from wsss_stages.manifests import Manifest
from wsss_stages.nets import backbones
from wsss_stages.stages import (
    data,
    scl_episodes,
    scl_evaluate,
    scl_features,
    scl_report,
    scl_segment,
    scl_table,
    scl_train,
)

EPISODES = (
    "--min-pixels", 150, "--shots", 3, "--test-pairs", 8, "--test-seeds", 2, "--train-pairs", 40,
    "--held-out", 0.3, "--held-out-pairs", 6,
)  # fmt: skip
BASELINE = ("--vectors", '["initial"]', "--s1-weight", 0, "--s2-weight", 0)


class Run:
    """A dozen scenes; fold 1 tests bricks."""

    def __init__(self, root):
        self.root, self.index, self.episodes = root, root / "index.json", root / "episodes.json"
        scenes = ("--root", root / "dataset", "--kind", "scenes", "--scenes-train", 12, "--scenes-val", 8)
        self.main(data, *scenes, index=self.index)
        self.main(scl_episodes, "--fold", 1, "--episodes", self.episodes, *EPISODES)
        for split in ("train", "val"):
            self.features(split)
        self.weights = {name: self.train(name) for name in ("canet", "pfenet")}
        self.weights["baseline"] = self.train("baseline")

    def main(self, stage, *more, index=None):
        stage.main(["--index", str(index or self.index), *map(str, more)])

    def manifest(self, split, root=None):
        return (root or self.root) / "scl_features" / split / "1-of-1.json"

    def features(self, split, root=None, side=64):
        its = ("--split", split, "--manifest", self.manifest(split, root), "--backbone", "tiny", "--side", side)
        self.main(scl_features, *its)

    def train(self, name, weights=None, *more):
        weights = weights or self.root / name / "weights.safetensors"
        kind = BASELINE if name == "baseline" else ("--baseline", name)
        self.main(
            scl_train, "--episodes", self.episodes, "--features", self.manifest("train"), "--weights", weights, "--backbone", "tiny",
            "--channels", 16, "--bins", "[1.0, 0.5]", "--epochs", 2, "--lr", 0.005, "--warm-up", 0, "--balanced-ce", "true", "--workers", 0, *kind, *more,
        )  # fmt: skip
        return weights

    def evaluate(self, name, scores, *more):
        self.main(
            scl_evaluate, "--episodes", self.episodes, "--features", self.manifest("train"), self.manifest("val"),
            "--weights", self.weights.get(name, name), "--scores", scores, "--shots", "[1, 3]", *more,
        )  # fmt: skip
        return json.loads(scores.read_text())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return Run(tmp_path_factory.mktemp("scl"))


def test_maps_are_the_frozen_backbones_in_half_precision(run):
    index, manifest = Index.read(run.index), Manifest([run.manifest("train")])
    backbone, _ = models.build_frozen("tiny", 8, "none")
    record = index.split("train")[0]
    square = torch.from_numpy(image_on_square(record.image(index.root), 64))[None]
    with torch.no_grad():
        *shallow, deep = backbone(backbones.normalise(square))
    found = {c.name: manifest.read(record.id, c)["F"] for c in (contracts.MIDDLE, contracts.DEEP)}
    torch.testing.assert_close(torch.from_numpy(found["deep"]).float().permute(2, 0, 1), deep[0], rtol=1e-3, atol=1e-3)
    middle = torch.cat(shallow, dim=1)[0]
    torch.testing.assert_close(torch.from_numpy(found["middle"]).float().permute(2, 0, 1), middle, rtol=1e-3, atol=1e-3)


def test_the_best_epoch_on_held_out_base_classes_is_kept(run):
    curve = json.loads(run.weights["canet"].with_name("curve.json").read_text())
    assert len(curve["grades"]) == 2 and curve["kept_epoch"] == 1 + int(np.argmax(curve["grades"]))
    assert set(curve["steps"][0]) == {"step", "lr", "query", "s1", "s2"}
    inner = {"query, inner", "s1, inner", "s2, inner"}
    assert inner < set(json.loads(run.weights["pfenet"].with_name("curve.json").read_text())["steps"][0])


def test_a_killed_training_ends_with_the_same_bytes(run, tmp_path, monkeypatch):
    class KilledError(Exception):
        pass

    def killing(*arguments, save=training._save):
        save(*arguments)
        if arguments[4] == 12:  # in the second epoch, after a grade
            raise KilledError

    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    again = tmp_path / "weights.safetensors"
    with monkeypatch.context() as context, pytest.raises(KilledError):
        context.setattr(training, "_save", killing)
        run.train("canet", again)
    run.train("canet", again)
    assert again.read_bytes() == run.weights["canet"].read_bytes()
    assert again.with_name("curve.json").read_bytes() == run.weights["canet"].with_name("curve.json").read_bytes()


def test_the_baseline_has_no_support_branch(run):
    network, known = models.restore_few_shot(run.weights["baseline"], options.SclEvaluate(rounds=4))
    assert not network.head.support_branch and network.head.rounds == 4 and known["novel"] == ["brick"]
    assert set(json.loads(run.weights["baseline"].with_name("curve.json").read_text())["steps"][0]) == {
        "step",
        "lr",
        "query",
    }


@pytest.mark.parametrize("name", ["canet", "pfenet"])
def test_scores_of_every_number_of_supports_and_fusion(run, tmp_path, name):
    found = run.evaluate(name, tmp_path / "scores.json")
    assert set(found["rows"]) == {"1-shot", "3-shot average", "3-shot cross"}
    for row in found["rows"].values():
        assert len(row["miou"]) == len(row["fb_iou"]) == 2 and set(row["iou"]) == {"brick"}
        assert row["iou"]["brick"] == row["miou"] and all(0 <= v <= 1 for v in row["miou"] + row["fb_iou"])
    assert found["unknown_ignored"] and found["pairs"] == 8
    assert run.evaluate(name, tmp_path / "again.json") == found
    assert name == "canet" or len({repr(row) for row in found["rows"].values()}) == 3


def test_the_score_is_that_of_episodes_answered_one_by_one(run, tmp_path):
    """1-shot, from the photographs themselves: intersection and union by hand."""
    found = run.evaluate("pfenet", tmp_path / "scores.json")
    network, _ = models.restore_few_shot(run.weights["pfenet"], options.SclEvaluate())
    index, episodes = Index.read(run.index), Episodes.read(run.episodes)
    frozen = Frozen(index, [run.manifest("train"), run.manifest("val")], False)
    both = either = 0
    for e in episodes.test[0]:
        images = [index.records[i].image(index.root) for i in (e.query, e.supports[0])]
        query, support = (
            network.encode(backbones.normalise(torch.from_numpy(image_on_square(i, 64))[None])) for i in images
        )
        share = torch.nn.functional.avg_pool2d(
            torch.from_numpy(frozen.mask(e.supports[0], e.cls) == 1)[None].float(), 8
        )
        M_s = share >= 0.5 if (share >= 0.5).any() else share == share.max()
        with torch.no_grad():
            logits = network(query, support, M_s).logits
        square = torch.nn.functional.interpolate(logits, (64, 64), mode="bilinear")
        label = torch.nn.functional.interpolate(square, (160, 160), mode="bilinear")[0].argmax(dim=0).numpy()
        truth = index.records[e.query].truth_labels(index.root)
        known = truth != 255
        both += ((label == 1) & (truth == e.cls) & known).sum()
        either += (((label == 1) | (truth == e.cls)) & known).sum()
    assert 0.01 < both / either < 0.99 and found["rows"]["1-shot"]["miou"][0] == pytest.approx(both / either, abs=0.01)


def test_several_scales_of_the_query(run, tmp_path):
    one, several = (
        run.evaluate("pfenet", tmp_path / f"{s}.json", "--scales", s) for s in ("[1.0]", "[0.75, 1.0, 1.25]")
    )
    assert one["rows"] != several["rows"] and several["options"]["scales"] == [0.75, 1.0, 1.25]


def test_the_baseline_is_weighed_by_its_query_branch_only(run, tmp_path):
    with pytest.raises(ValueError, match=r"no support branch .* wanted cross_path: query"):
        run.evaluate("baseline", tmp_path / "scores.json")
    assert "3-shot cross" in run.evaluate("baseline", tmp_path / "scores.json", "--cross-path", "query")["rows"]


def test_what_does_not_belong_together_is_told(run, tmp_path):
    with pytest.raises(
        EpisodeError, match=r"found --shots \[1, 4\], wanted numbers of supports from 1 to the episodes' 3"
    ):
        run.evaluate("canet", tmp_path / "scores.json", "--shots", "[1, 4]")
    with pytest.raises(EpisodeError, match=r"found --shots \[0\]"):
        run.evaluate("canet", tmp_path / "scores.json", "--shots", "[0]")
    content = json.loads(run.episodes.read_text()) | {"fold": 2}
    artifacts.write_sealed(tmp_path / "episodes.json", content)
    with pytest.raises(
        artifacts.ContractError, match=r"trained on fold 1, but .* are of fold 2: a test on classes that were"
    ):
        run.evaluate("canet", tmp_path / "scores.json", "--episodes", tmp_path / "episodes.json")
    for split in ("train", "val"):
        run.features(split, tmp_path, side=48)
    other = ("--features", run.manifest("train", tmp_path), run.manifest("val", tmp_path))
    with pytest.raises(artifacts.ContractError, match=r"the maps were made with .*'side': 48.* wants .*'side': 64"):
        run.evaluate("canet", tmp_path / "scores.json", *other)
    mixed = ("--features", run.manifest("train"), run.manifest("val", tmp_path))
    with pytest.raises(artifacts.ContractError, match="several backbones or sides"):
        run.evaluate("canet", tmp_path / "scores.json", *mixed)


def test_a_fold_that_is_not_there_and_a_class_with_too_few_images(run, tmp_path):
    argv = ("--episodes", tmp_path / "e.json", *EPISODES)
    with pytest.raises(EpisodeError, match=r"found fold 4, wanted one of 0\.\.3"):
        run.main(scl_episodes, "--fold", 4, *argv)
    with pytest.raises(EpisodeError, match=r"fold 0: too few images for an episode of 30 supports .*coin has"):
        run.main(scl_episodes, "--fold", 0, *argv, "--shots", 30)
    assert not (tmp_path / "e.json").exists()


class Folder:
    """A user's folders: two annotated scenes, and queries of another size."""

    def __init__(self, run, root):
        self.root, index = root, Index.read(run.index)
        (root / "support" / "masks").mkdir(parents=True)
        (root / "query").mkdir()
        made = Episodes.read(run.episodes).test[0][0]
        for image in made.supports[:2]:
            record = index.records[image]
            truth = record.truth_labels(index.root)
            Image.fromarray(record.image(index.root)).resize((320, 240)).save(root / "support" / f"{image}.png")
            mask = Image.fromarray(np.uint8(255 * (truth == made.cls)))  # black and white
            mask.resize((320, 240), Image.Resampling.NEAREST).save(root / "support" / "masks" / f"{image}.png")
        self.names = list(made.supports[:2])
        Image.fromarray(index.records[made.query].image(index.root)[:100]).save(root / "query" / "q.jpg")

    def argv(self, weights, *more):
        its = ("--support", self.root / "support", "--query", self.root / "query", "--out", self.root / "out")
        return [str(a) for a in (*its, "--weights", weights, *more)]

    def mask(self, number=0):
        return self.root / "support" / "masks" / f"{self.names[number]}.png"


@pytest.fixture
def folder(run, tmp_path):
    return Folder(run, tmp_path)


@pytest.mark.parametrize("name", ["canet", "pfenet"])
def test_a_users_folder_with_supports_larger_than_the_query(run, folder, name):
    scl_segment.main(folder.argv(run.weights[name]))
    label = read_labels(folder.root / "out" / "q.png")
    assert label.shape == (100, 160) and set(np.unique(label)) <= {0, 1}
    with Image.open(folder.root / "out" / "overlays" / "q.jpg") as overlay:
        assert overlay.size == (160, 100)
    scl_segment.main(folder.argv(run.weights[name], "--fusion", "average", "--scales", "[1.0, 1.25]"))


def test_faults_of_a_users_folder_are_told_all_at_once(run, folder):
    Image.fromarray(np.zeros((240, 320), np.uint8)).save(folder.mask(0))
    Image.fromarray(np.full((240, 320), 255, np.uint8)).save(folder.mask(1))
    Image.new("RGB", (8, 8)).save(folder.root / "support" / "alone.jpg")
    Image.new("RGB", (8, 8)).save(folder.root / "support" / "small.jpg")
    Image.fromarray(np.ones((9, 8), np.uint8)).save(folder.root / "support" / "masks" / "small.png")
    with pytest.raises(DatasetError) as told:
        scl_segment.main(folder.argv(run.weights["canet"]))
    text = str(told.value)
    assert "4 finding(s)" in text
    for part in (
        "found a mask without a pixel of the object; wanted an object", "found a mask without a pixel of background",
        "alone.png: found no mask of alone.jpg; wanted photographs NAME.jpg", "found 8x9 pixels; wanted 8x8 pixels as its photograph",
    ):  # fmt: skip
        assert part in text
    assert not (folder.root / "out").exists()


def test_no_support_no_query_and_no_writing_over_photographs(run, folder):
    with pytest.raises(ValueError, match="holds the photographs, which are never written over"):
        scl_segment.main([*folder.argv(run.weights["canet"]), "--out", str(folder.root / "query")])
    with pytest.raises(DatasetError, match="query: found no photograph; wanted at least one"):
        (folder.root / "query" / "q.jpg").unlink()
        scl_segment.main(folder.argv(run.weights["canet"]))
    shutil.rmtree(folder.root / "support")
    with pytest.raises(DatasetError, match="support: found no such folder; wanted at least one"):
        scl_segment.main(folder.argv(run.weights["canet"]))


def test_weights_of_another_network_are_refused(folder, tmp_path):
    network = torch.nn.Linear(1, 1)
    training.save_weights(tmp_path / "w.safetensors", network, {"stage": "s7_segment"})
    with pytest.raises(artifacts.ContractError, match="found weights of s7_segment, wanted those of scl_train"):
        scl_segment.main(folder.argv(tmp_path / "w.safetensors"))


@pytest.mark.parametrize("name, columns", [("canet", 7), ("baseline", 6)])
def test_a_page_of_episodes(run, tmp_path, monkeypatch, name, columns):
    """Supports, regions, predictions and truth; the baseline has no regions."""
    seen = []
    monkeypatch.setattr(figures, "rows_figure", lambda *its, made=figures.rows_figure: seen.append(its) or made(*its))
    path = ("--cross-path", "query") if name == "baseline" else ()
    run.main(
        scl_report, "--episodes", run.episodes, "--features", run.manifest("train"), run.manifest("val"),
        "--weights", run.weights[name], "--page", tmp_path / "page.png", "--images", 3, *path,
    )  # fmt: skip
    ((titles, rows, names, legend),) = seen
    assert len(titles) == columns and titles[:2] == ["support 1", "support 2"] and "3-shot, CGM" in titles
    assert ("v_pri, v_aux of support 1" in titles) == (name == "canet")
    assert len(rows) == 3 and all(its.startswith("brick") for its in names) and set(legend) == {1, 2}
    assert (tmp_path / "page.png").stat().st_size > 10_000


def scores(fold, miou, fb_iou):
    row = {"miou": miou, "fb_iou": fb_iou}
    return {
        "dataset": "toy",
        "fold": fold,
        "pairs": 8,
        "rows": {"1-shot": row, "5-shot average": row, "5-shot cross": row},
    }


def test_a_table_over_folds_and_seeds(tmp_path):
    given = []
    for number in range(8):
        for fold, base in ((0, 0.1), (1, 0.3)):
            path = tmp_path / f"{number}_{fold}.json"
            artifacts.write_sealed(path, scores(fold, [base, base + 0.02 * number], [0.5, 0.6]))
            given.append(f"{number}={path}")
    out = tmp_path / "t"
    scl_table.main(["--name", "table_5_1", "--scores", *given, "--table", str(out)])
    with open(out.with_suffix(".csv")) as file:
        header, first, second, *_ = csv.reader(file)
    assert header[:4] == ["row", "fold 0, mIoU %", "fold 1, mIoU %", "mIoU %"]
    assert first == ["CANet, 1-shot", "10.0", "30.0", "20.0", "0.0", "55.0", "59.2", ""]
    assert second[1:5] == ["11.0", "31.0", "21.0", "1.41"]
    text = out.with_suffix(".md").read_text()
    assert "folds 0, 1, 2 seeds of 8 episodes" in text and "ignored" in text
    assert out.with_suffix(".png").stat().st_size > 10_000 and out.with_suffix(".html").exists()


def test_a_table_of_scores_without_its_row_is_told(tmp_path):
    made = scores(0, [0.1], [0.5])
    del made["rows"]["5-shot cross"]
    artifacts.write_sealed(tmp_path / "s.json", made)
    given = [f"{number}={tmp_path / 's.json'}" for number in range(6)]
    with pytest.raises(
        ValueError, match=r"'CANet, CGM of 5' on fold 0 have .*, wanted 5-shot cross. Set scl_evaluate.shots"
    ):
        scl_table.main(["--name", "table_5_7", "--scores", *given, "--table", str(tmp_path / "t")])
