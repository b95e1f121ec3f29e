"""The files of a run: where the stages of a variant leave their artifacts, as the configuration says, and which are there."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsss_stages.config import dag, variants
from wsss_stages.config.dag import STAGES
from wsss_stages.store import contracts

LABELS = {
    "s6_propagate": contracts.PSEUDO,
    "rrm_label": contracts.RRM_LABEL,
    "s8_predict": contracts.PREDICTION,
    "s3_seeds": contracts.CAM_LABEL,
}
"""Final label maps of the training images by the stage that makes them, in the order of contracts.FINAL."""


@dataclass(frozen=True)
class RunFiles:
    """Paths of a run on one kind of weak label, of one variant."""

    config: dict[str, Any]
    home: Path
    """The folder that holds results, logs and benchmarks."""

    @property
    def dataset(self) -> Path:
        return self.home / "results" / self.config["dataset"]

    @property
    def weak_index(self) -> Path:
        return self.dataset / self.config["weak"] / "index.json"

    @property
    def folder(self) -> Path:
        """Return the folder of the variant."""
        return self.dataset / self.config["weak"] / self.config["variant"]

    @property
    def _road(self) -> tuple[dict[str, Any], str, str]:
        return self.config, self.config["variant"], self.config["weak"]

    def stage(self, stage: str) -> Path:
        """Return the folder of a stage, which is a base's where the variant does not change it."""
        config, variant, weak = self._road
        if stage == "s1_classifier":
            return self.dataset / stage
        own = variants.section(config, "cam", variant, weak) != variants.section(config, "cam")
        if stage == "s2_cam" and not own:
            return self.dataset / stage
        return self.dataset / weak / dag.home(config, variant, stage, weak) / stage

    def manifests(self, stage: str, split: str) -> list[Path]:
        """Return the manifests of a stage that are there; empty unless all are."""
        shards = self.config["shards"]
        paths = [self.stage(stage) / split / f"{k}-of-{shards}.json" for k in range(1, shards + 1)]
        return paths if all(path.is_file() for path in paths) else []

    def label_stages(self) -> list[str]:
        """Return the stages with pictures of the training images: CAMs and masks, if any, and all label maps."""
        first = [("s2_cam", dag.uses_cams(*self._road)), ("s3_masks", dag.uses_masks(*self._road))]
        return [*(stage for stage, used in first if used), *dag.label_stages(*self._road)]

    def final(self) -> tuple[str, contracts.Contract]:
        """Return the stage that makes the final labels of the training images, and their contract."""
        stages = dag.label_stages(*self._road)
        return next((stage, contract) for stage, contract in LABELS.items() if stage in stages)

    def trainings(self) -> list[str]:
        """Return the stages that train a network, in the order of the data."""
        return ["s1_classifier"] * dag.uses_classifier(*self._road) + dag.trainings(*self._road)

    def network(self) -> Path:
        """Return the weights of the network of the predictions."""
        return self.stage(dag.predicting(*self._road)) / "weights.safetensors"

    def scores(self) -> list[Path]:
        """Return the scores that are there, of training images first."""
        paths = [self.folder / "s9_evaluate" / split / "scores.json" for split in ("train", "val")]
        return [path for path in paths if path.is_file()]

    def curves(self) -> list[Path]:
        """Return the curves that are there."""
        return [path for stage in self.trainings() if (path := self.stage(stage) / "curve.json").is_file()]

    def walk(self) -> Path | None:
        """Return the choice of the random walk, where there is one."""
        path = self.stage("s5_walk") / "walk.json"
        return path if dag.chooses_walk(*self._road) and path.is_file() else None

    def benchmarks(self) -> list[Path]:
        """Return Snakemake's measurements of the jobs behind the variant that are there."""
        top = self.home / "benchmarks" / self.config["dataset"]
        alone = [top / "data.tsv", top / "s1_classifier.tsv"]
        stages = [
            s for s in STAGES if s in self.label_stages() or s in self.trainings() or s in ("s5_walk", "s8_predict")
        ]
        of_stages = [top / self.stage(stage).relative_to(self.dataset) for stage in stages]
        own = [path for folder in of_stages for path in (folder.with_suffix(".tsv"), *sorted(folder.rglob("*.tsv")))]
        return [path for path in (*alone, *own) if path.is_file()]
