"""The worth of a minute of correction: mIoU of a finished run's labels, and of its segmenter, against minutes of a person's work.

    python bench/corrections.py results/voc_mini --counts 10 20 50 100 200
    python bench/corrections.py results/voc_mini --counts 20 --segment "--backbone mobilenet_v2 --backbone-weights package --epochs 30" --work /tmp/c

Truth is the corrector: a corrected image has its true mask as its label. Images are taken worst first by s9_review/review_first.csv, at random
(three seeds, mean and spread), and, as the bound that no order without truth reaches, by their true IoU. The same minutes are compared, too: worst
images hold more errors, so that they take longer. With --segment a segmenter is trained for every selection, by the stage itself.

Cost model. Looking at an image: 5 s, an assumption. An object that was painted from nothing: 79 s, COCO's 22 worker hours for 1,000 masks (Lin et al.,
ECCV 2014). To repair one is taken to cost the share of it that is wrong, 1 - IoU of the object's label inside its box: an assumption, which
nobody has measured here. --look and --object change both.
"""

import argparse
import csv
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from wsss_stages import UNKNOWN
from wsss_stages.data.images import read_labels
from wsss_stages.data.index import Index, Record
from wsss_stages.data.weak.simulate import objects
from wsss_stages.evaluation import metrics
from wsss_stages.shards.manifest import MANIFEST_VERSION, Manifest
from wsss_stages.store import artifacts, contracts

LOOK, OBJECT = 5.0, 79.0
"""Seconds to look at an image, and to paint an object from nothing."""
SEEDS = (0, 1, 2)


@dataclass
class Measured:
    """Images with truth: confusions of their labels and of truth with itself, true IoU, seconds that a correction takes."""

    ids: list[str]
    labels: np.ndarray
    """(n, c, c) counts of pixels."""
    truth: np.ndarray
    iou: np.ndarray
    seconds: np.ndarray

    def miou(self, corrected: Sequence[int]) -> float:
        """Return the mIoU, in per cent, of all labels when some images have their true mask."""
        counts = self.labels.sum(axis=0) + (self.truth[corrected] - self.labels[corrected]).sum(axis=0)
        return 100 * (metrics.mean_iou(counts) or 0.0)

    def minutes(self, corrected: Sequence[int]) -> float:
        """Return the minutes that the corrections of some images take."""
        return float(self.seconds[corrected].sum()) / 60


def measure(index: Index, manifest: Manifest, contract: contracts.Contract, look: float, each: float) -> Measured:
    """Return the facts of all training images that have a label and truth."""
    records = [r for r in index.split("train") if r.truth and manifest.sha256(r.id, contract.name)]
    rows = [_measured(index, manifest, contract, record, look, each) for record in track(records, "labels")]
    labels, truth, iou, seconds = (np.array(column) for column in zip(*rows, strict=True))
    return Measured([record.id for record in records], labels, truth, iou, seconds)


def _measured(index: Index, manifest: Manifest, contract: contracts.Contract, record: Record, look: float, each: float):
    truth = record.known_truth(index.root)
    label = manifest.read(record.id, contract)["label"]
    label = cv2.resize(np.where(label == UNKNOWN, 0, label), truth.shape[::-1], interpolation=cv2.INTER_NEAREST)
    counts = [metrics.confusion(truth, made, len(index.classes)) for made in (label, truth)]
    numbers = read_labels(index.root / record.instances) if record.instances else None
    wrong = sum(1 - _object_iou(label, mask, cls) for mask, cls in objects(truth, numbers))
    return *counts, metrics.mean_iou(counts[0]) or 0.0, look + each * wrong


def _object_iou(label: np.ndarray, mask: np.ndarray, cls: int) -> float:
    """Return the IoU of an object with the label of its class inside its box."""
    ys, xs = np.nonzero(mask)
    box = np.s_[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    found, wanted = label[box] == cls, mask[box]
    return float((found & wanted).sum() / (found | wanted).sum())


def orders(measured: Measured, review: Sequence[str]) -> dict[str, list[list[int]]]:
    """Return the orders of correction by their names; random ones by seeds.

    Args:
        review: ids of review_first.csv, the worst first.
    """
    at = {image: number for number, image in enumerate(measured.ids)}
    by_chance = [np.random.default_rng(seed).permutation(len(at)).tolist() for seed in SEEDS]
    first = [at[image] for image in review if image in at]
    return {"review first": [first], "random": by_chance, "true IoU": [np.argsort(measured.iou).tolist()]}


def curve(measured: Measured, order: Sequence[int], counts: Sequence[int]) -> np.ndarray:
    """Return (len(counts), 2) minutes and mIoU when so many images of an order are corrected."""
    return np.array([[measured.minutes(order[:n]), measured.miou(order[:n])] for n in counts])


def at_minutes(measured: Measured, order: Sequence[int], minutes: float) -> float:
    """Return the mIoU after as many images of an order as fit into some minutes."""
    spent = np.cumsum(measured.seconds[order]) / 60
    return measured.miou(order[: int((spent <= minutes).sum())])


def review_first(path: Path) -> list[str]:
    """Return the ids of a review's list, the worst first."""
    with path.open(newline="", encoding="utf-8") as file:
        return [row["id"] for row in csv.DictReader(file)]


def table(measured: Measured, ways: dict[str, list[list[int]]], counts: Sequence[int]) -> Table:
    """Return a row for every number of images: minutes and mIoU of every order, and random ones in the minutes of review first."""
    start = measured.miou([])
    shown = Table(
        "images",
        "review first",
        "random, as many images",
        "random, as many minutes",
        "true IoU",
        title=f"mIoU, none corrected: {start:.2f} %",
    )
    for n in counts:
        cells = [f"{n}"]
        for name, found in ways.items():
            points = np.array([curve(measured, order, [n])[0] for order in found])
            (minutes, miou), spread = points.mean(axis=0), points.std(axis=0)[1]
            cells.append(f"{miou:.2f}{f' ± {spread:.2f}' * (len(found) > 1)} in {minutes:.0f} min")
            if name == "random":
                same = [at_minutes(measured, order, measured.minutes(ways["review first"][0][:n])) for order in found]
                cells.append(f"{np.mean(same):.2f} ± {np.std(same):.2f}")
        shown.add_row(*cells)
    return shown


def segmenter(
    index_path: Path,
    manifests: Sequence[Path],
    contract: contracts.Contract,
    corrected: set[str],
    work: Path,
    flags: Sequence[str],
) -> float:
    """Return the validation mIoU, in per cent, of a segmenter trained on labels of which some are truth; its files lie in a folder."""
    index, labels = Index.read(index_path), Manifest(manifests, [contract])
    items = {}
    for record in index.split("train"):
        path, sha = labels.file(record.id, contract.name)
        if record.id in corrected:
            path = (work / "train" / contract.name / f"{record.id}{contract.suffix}").resolve()
            artifacts.write(
                path, contract, {"label": record.known_truth(index.root)}, {"notes": {}, "stage": contract.made_by}
            )
            sha = artifacts.sha256(path)
        items[record.id] = {contract.name: [str(path.resolve()), sha]}
    shard = work / "train" / "1-of-1.json"
    content = {"manifest": MANIFEST_VERSION, "stage": contract.made_by, "contracts": {contract.name: contract.version}}
    artifacts.write_sealed(shard, {**content, "options": {}, "items": items, "notes": {}})
    weights, predicted, scores = work / "weights.safetensors", work / "val" / "1-of-1.json", work / "scores.json"
    stage("s7_segment", "--index", index_path, "--pseudo", shard, "--weights", weights, *flags)
    stage("s8_predict", "--index", index_path, "--weights", weights, "--manifest", predicted)
    stage("s9_evaluate", "--index", index_path, "--manifests", predicted, "--scores", scores)
    return 100 * artifacts.read_sealed(scores)["rows"]["prediction"]["miou"]


def stage(name: str, *words: object) -> None:
    """Run a stage."""
    subprocess.run([sys.executable, "-m", f"wsss_stages.stages.{name}", *map(str, words)], check=True)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="results/NAME")
    parser.add_argument("--weak", default="box")
    parser.add_argument("--variant", default="ours")
    parser.add_argument("--review", type=Path, help="review_first.csv, if it is another than the variant's")
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 20, 50, 100, 200], help="numbers of images")
    parser.add_argument("--look", type=float, default=LOOK, help="seconds to look at an image")
    parser.add_argument("--object", type=float, default=OBJECT, help="seconds to paint an object from nothing")
    parser.add_argument("--segment", help="options of s7_segment: train a segmenter for none, review first and random")
    parser.add_argument("--work", type=Path, default=Path("corrections_bench"), help="folder for the segmenters")
    asked = parser.parse_args(argv)
    index_path, home = asked.results / asked.weak / "index.json", asked.results / asked.weak / asked.variant
    paths = sorted(
        chain.from_iterable(home.glob(f"{name}/train/*-of-*[0-9].json") for name in ("s6_propagate", "rrm_label"))
    )
    manifest, index = Manifest(paths), Index.read(index_path)
    contract = next(c for c in contracts.FINAL if c.name in manifest.made)
    measured = measure(index, manifest, contract, asked.look, asked.object)
    ways = orders(measured, review_first(asked.review or home / "s9_review" / "review_first.csv"))
    counts = [n for n in asked.counts if n <= len(measured.ids)]
    Console(width=150).print(table(measured, ways, counts))
    if asked.segment is None:
        return
    trained = Table("images", "selection", "mIoU of validation", title="segmenters")
    selections = [(0, "none", [])] + [
        (n, name if len(found) == 1 else f"{name} {seed}", order[:n])
        for n in counts
        for name, found in ways.items()
        if name != "true IoU"
        for seed, order in enumerate(found)
    ]
    for n, name, chosen in selections:
        work = asked.work / f"{n}_{name.replace(' ', '_')}"
        corrected = {measured.ids[number] for number in chosen}
        miou = segmenter(index_path, paths, contract, corrected, work, asked.segment.split())
        trained.add_row(str(n), name, f"{miou:.2f}")
        Console(width=150).print(trained)


if __name__ == "__main__":
    main()
