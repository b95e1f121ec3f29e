"""SCL on the demo's scenes: episodes, maps and a network of each kind."""

import json

import pytest

from tests.once import once
from wsss_stages.stages import data, scl_episodes, scl_evaluate, scl_features, scl_train


class Run:
    """A dozen scenes; fold 1 tests bricks."""

    EPISODES = (
        "--min-pixels", 150, "--shots", 3, "--test-pairs", 8, "--test-seeds", 2, "--train-pairs", 40,
        "--held-out", 0.3, "--held-out-pairs", 6,
    )  # fmt: skip
    BASELINE = ("--vectors", '["initial"]', "--s1-weight", 0, "--s2-weight", 0)

    def __init__(self, root):
        self.root, self.index, self.episodes = root, root / "index.json", root / "episodes.json"
        self.weights = {name: root / name / "weights.safetensors" for name in ("canet", "pfenet", "baseline")}

    def make(self):
        """Run every stage."""
        root = self.root
        scenes = ("--root", root / "dataset", "--kind", "scenes", "--scenes-train", 12, "--scenes-val", 8)
        self.main(data, *scenes, index=self.index)
        self.main(scl_episodes, "--fold", 1, "--episodes", self.episodes, *self.EPISODES)
        for split in ("train", "val"):
            self.features(split)
        for name in self.weights:
            self.train(name)

    def main(self, stage, *more, index=None):
        stage.main(["--index", str(index or self.index), *map(str, more)])

    def manifest(self, split, root=None):
        return (root or self.root) / "scl_features" / split / "1-of-1.json"

    def features(self, split, root=None, side=64):
        flags = ("--split", split, "--manifest", self.manifest(split, root), "--backbone", "tiny", "--side", side)
        self.main(scl_features, *flags)

    def train(self, name, weights=None, *more):
        weights = weights or self.weights[name]
        kind = self.BASELINE if name == "baseline" else ("--baseline", name)
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


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run that tests read, made once for all processes of a test run."""
    return Run(once(tmp_path_factory.getbasetemp(), "scl", lambda root: Run(root).make()))
