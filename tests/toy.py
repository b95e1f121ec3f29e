"""The toy: every stage's main() once, one after the other, on a few of the demo's scenes; made once for all processes of a test run."""

import json
from dataclasses import asdict, replace
from pathlib import Path

from wsss_stages.data.index import Index, Record
from wsss_stages.stages import (
    data,
    report,
    s1_classifier,
    s2_cam,
    s3_masks,
    s3_seeds,
    s4_affinity,
    s4_object_net,
    s5_graph,
    s5_object_masks,
    s5_walk,
    s6_propagate,
    s7_segment,
    s8_predict,
    s9_evaluate,
    s9_review,
    weak_index,
)

SMALL = ["--crop", "96", "--batch-size", "4", "--workers", "0", "--frozen-share", "0"]


class Toy:
    """Paths of a run; `argv(stage)` is the command line of a stage, for another manifest if wanted."""

    def __init__(self, root: Path):
        self.root = root
        self.full_index = root / "index.json"
        self.index = root / "box" / "index.json"
        self.classifier = root / "s1_classifier" / "weights.safetensors"
        self.object_net = root / "s4_object_net" / "weights.safetensors"
        self.affinity = root / "s4_affinity" / "weights.safetensors"
        self.segmenter = root / "s7_segment" / "weights.safetensors"

    def manifest(self, stage, split="train", root=None):
        return (root or self.root) / stage / split / "1-of-1.json"

    def argv(self, stage, root=None) -> list[str]:
        out = self.manifest(stage, "val" if stage == "s8_predict" else "train", root)
        index, seeds = ["--index", self.index], ["--seeds-manifest", self.manifest("s3_seeds")]
        argv = {
            "data": ["--root", self.root / "dataset", "--index", self.full_index, "--kind", "scenes",
                     "--scenes-train", 8, "--scenes-val", 3, "--dataset", "toy"],
            "weak_index": ["--index", self.full_index, "--weak", "box", "--out", self.index],
            "s1_classifier": [*index, "--weights", self.classifier, "--backbone", "tiny", "--epochs", 2, *SMALL],
            "s2_cam": [*index, "--weights", self.classifier, "--manifest", out, "--scales", "[1.0]"],
            "s3_masks": [*index, "--manifest", out],
            "s3_seeds": [*index, "--cam", self.manifest("s2_cam"), "--masks", self.manifest("s3_masks"), "--manifest", out],
            "s4_object_net": [*index, "--masks", self.manifest("s3_masks"), "--classifier", self.classifier,
                              "--weights", self.object_net, "--epochs", 1, "--width", 16, "--crop", 64,
                              "--batch-size", 4, "--workers", 0],
            "s5_object_masks": [*index, "--masks", self.manifest("s3_masks"), "--object-net", self.object_net, "--manifest", out],
            "s4_affinity": [*index, "--seeds-manifests", self.manifest("s3_seeds"), "--classifier", self.classifier,
                            "--weights", self.affinity, "--epochs", 1, "--radius", 2, *SMALL],
            "s5_walk": [*index, "--seeds-manifests", self.manifest("s3_seeds"), "--affinity", self.affinity,
                        "--chosen", (root or self.root) / "s5_walk" / "walk.json", "--walk-powers", "[2, 8]", "--walk-steps", "[0, 3]"],
            "s5_graph": [*index, *seeds, "--affinity", self.affinity, "--manifest", out, "--walk-powers", "[8]", "--walk-steps", "[64]"],
            "s6_propagate": [*index, *seeds, "--graph", self.manifest("s5_graph"), "--affinity", self.affinity,
                             "--objects", self.manifest("s5_object_masks"), "--manifest", out, "--epochs-first", 4, "--epochs-second", 4, "--features", 32,
                             "--batch-nodes", 1200],
            "s7_segment": [*index, "--pseudo", self.manifest("s6_propagate"), "--weights", self.segmenter,
                           "--backbone", "tiny", "--backbone-weights", "none", "--epochs", 1, "--head-channels", 16,
                           *SMALL],
            "s8_predict": [*index, "--weights", self.segmenter, "--manifest", out, "--scales", "[1.0]"],
            "s9_evaluate": [*index, "--manifests", *map(self.manifest, ("s3_seeds", "s5_graph", "s6_propagate")),
                            "--split", "train", "--scores", self.root / "s9_evaluate" / "train" / "scores.json"],
            "s9_review": [*index, "--images", 3, "--folder", (root or self.root) / "s9_review", "--manifests",
                          *map(self.manifest, ("s3_seeds", "s5_object_masks", "s5_graph", "s6_propagate"))],
        }[stage]  # fmt: skip
        return [str(a) for a in argv]

    def read(self, path) -> dict:
        return json.loads(Path(path).read_text())

    def read_index(self, path) -> dict:
        """An index as lists and dictionaries, to change and to give to `write_index`."""
        index = Index.read(path)
        splits = {name: list(ids) for name, ids in index.splits.items()}
        return {"index": index, "splits": splits, "records": [asdict(r) for r in index.records.values()]}

    def write_index(self, path, content) -> None:
        records = {entry["id"]: Record(**entry) for entry in content["records"]}
        replace(content["index"], splits=content["splits"], records=records).write(path)


def make(root: Path) -> None:
    """Run every stage, with scores and report."""
    made = Toy(root)
    stages = (
        data, weak_index, s1_classifier, s2_cam, s3_masks, s3_seeds, s4_object_net, s5_object_masks, s4_affinity, s5_walk, s5_graph, s6_propagate,
        s7_segment,
        s8_predict, s9_evaluate, s9_review,
    )  # fmt: skip
    for stage in stages:
        stage.main(made.argv(stage.__name__.rpartition(".")[2]))
    val = [
        "--manifests",
        made.manifest("s8_predict", "val"),
        "--scores",
        made.root / "s9_evaluate" / "val" / "scores.json",
    ]
    s9_evaluate.main([str(a) for a in ("--index", made.index, *val)])
    benchmark = made.root / "benchmarks" / "s3_seeds" / "train" / "1-of-1.tsv"
    benchmark.parent.mkdir(parents=True)
    benchmark.write_text("s\th:m:s\tmax_rss\n12.5\t0:00:12\t300.0\n")
    manifests = [made.manifest(s) for s in ("s2_cam", "s3_masks", "s3_seeds", "s5_graph", "s6_propagate")]
    scores = [made.root / "s9_evaluate" / split / "scores.json" for split in ("train", "val")]
    argv = (
        "--index", made.index, "--manifests", *manifests, "--segmenter", made.segmenter,
        "--walk", made.root / "s5_walk" / "walk.json", "--scores", *scores, "--curves", made.classifier.with_name("curve.json"), "--benchmarks", benchmark,
        "--images", 3, "--folder", made.root / "report",
    )  # fmt: skip
    report.main([str(a) for a in argv])
