"""Pseudo labels against what a user has without us: boxes filled, GrabCut, GrabCut with our CRF; of a finished run's variants.

    python bench/quality.py results/voc_mini --variants ours thesis --picture six.png

The training images are split once, by a hash of their ids, into a choosing half, on which settings may be chosen, and a
confirming half, which only reports. Scores over all pixels of a half: mIoU and boundary IoU; the mean over images of an image's
mIoU; the mean over objects of the IoU inside their box, by the object's true pixels (small below 32², large above 96², as COCO
has them). Differences of mIoU to both GrabCuts come with the 90 % interval of a bootstrap over images, the same for both sides.
Unknown pixels of a label map count as background. Images that a variant has no label of yet are left out for all. Photographs must be within `data.max_side`: GrabCut's labels are not enlarged.
"""

import argparse
import csv
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench import machine
from wsss_stages import UNKNOWN
from wsss_stages.config.options import Crf, Evaluate
from wsss_stages.data.index import Index, Record, stable_hash
from wsss_stages.evaluation import figures, metrics
from wsss_stages.labels.boxes import filled
from wsss_stages.labels.crf import CrfSettings, DenseCrf
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import contracts

HALVES = ("choosing", "confirming")
BINS = {"small": 32**2, "medium": 96**2, "large": np.inf}
"""Kinds of objects and the number of true pixels that they stay below."""
SURE = 0.7
"""Probability of GrabCut's label in the unary of its CRF, as pydensecrf's unary_from_labels has it in its examples."""
SAMPLES = 2000
PICTURED = 6
"""Rows of the picture, chosen by a hash of their ids."""


class Scores:
    """Sums over images for one kind of label maps."""

    def __init__(self, classes: int):
        self.classes = classes
        self.counts: list[np.ndarray] = []
        self.boundary = np.zeros((2, classes), np.int64)
        self.objects: list[tuple[int, float]] = []

    def add(self, record: Record, truth: np.ndarray, label: np.ndarray) -> None:
        """`label`: (h, w), 255 counts as background."""
        label = np.where(label == UNKNOWN, 0, label)
        self.counts.append(metrics.confusion(truth, label, self.classes))
        self.boundary += metrics.boundary_counts(truth, label, self.classes, Evaluate().boundary_share)
        for box, c in zip(*record.box_arrays(), strict=True):
            x0, y0, x1, y1 = box
            t, found = truth[y0:y1, x0:x1], label[y0:y1, x0:x1]
            is_c, counted = t == c, t != UNKNOWN
            either = ((is_c | (found == c)) & counted).sum()
            if is_c.any():
                self.objects.append((int(is_c.sum()), float((is_c & (found == c)).sum() / either)))

    def row(self) -> list[float]:
        """mIoU, mean over images, boundary IoU, small, medium, large; per cent."""
        each = [metrics.mean_iou(c) for c in self.counts]
        sizes, ious = (np.array(part) for part in zip(*self.objects, strict=True))
        below = np.array([0, *BINS.values()])
        bins = [ious[(sizes >= low) & (sizes < high)] for low, high in pairwise(below)]
        row = [metrics.mean_iou(sum(self.counts)), np.mean(each), metrics.boundary_iou(self.boundary)]
        return [100 * float(x) for x in [*row, *(b.mean() if len(b) else np.nan for b in bins)]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="folder of a finished run")
    parser.add_argument(
        "--variants", nargs="+", default=["ours"], metavar="VARIANT[:LABEL]",
        help="finished variants; LABEL is another label map than pseudo, graph_label or object_label (default ours)",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, help="also write the table here, CSV")
    parser.add_argument("--picture", type=Path, help="also draw six images of the confirming half here, PNG")
    args = parser.parse_args()
    index = Index.read(args.results / "index.json")
    labels = {}
    for name in args.variants:
        variant, _, kind = name.partition(":")
        contract = contracts.ALL[kind or "pseudo"]
        labels[name] = (made(args.results, variant, contract.made_by), contract)
    seeds = made(args.results, args.variants[0].partition(":")[0], "s3_seeds")
    records = [r for r in index.split("train") if r.truth and all(r.id in found.items for found, _ in labels.values())]

    def maps(record: Record) -> dict[str, np.ndarray]:
        grabcut = seeds.read(record.id, contracts.GRABCUT)["label"]
        return {
            "boxes filled": filled(*record.box_arrays(), record.height, record.width),
            "GrabCut": grabcut,
            "GrabCut + CRF": refined(record.image(index.root), grabcut, record.tags),
            **{name: found.read(record.id, contract)["label"] for name, (found, contract) in labels.items()},
        }

    names = ["boxes filled", "GrabCut", "GrabCut + CRF", *args.variants]
    scores = {half: {name: Scores(len(index.classes)) for name in names} for half in HALVES}
    for record in track(records, "scoring"):
        truth = record.truth_labels(index.root)
        for name, label in maps(record).items():
            scores[half_of(record)][name].add(record, truth, label)
    print(f"{machine()}; {index.dataset}, {len(records)} training images, {args.results}")
    rows = [row for half in HALVES if scores[half]["GrabCut"].counts for row in table(half, scores[half])]
    if args.out:
        with args.out.open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    if args.picture:
        mine = [r for r in records if half_of(r) == "confirming"]
        picture(index, sorted(mine, key=lambda r: stable_hash(r.id, "picture"))[:PICTURED], maps).savefig(args.picture)


def half_of(record: Record) -> str:
    """Which half an image belongs to."""
    return HALVES[stable_hash(record.id, "bench.quality") % 2]


def made(results: Path, variant: str, stage: str) -> Manifest:
    """Return the artifacts that a stage of a variant has made of the training images so far."""
    return Manifest(sorted((results / "box" / variant / stage / "train").glob("*-of-*[0-9].json")))


def picture(index: Index, records: list[Record], maps: Callable[[Record], dict[str, np.ndarray]]) -> figures.Figure:
    """Return a picture of each image with its boxes, every kind of label, and its truth."""
    rows, titles = [], []
    for record in records:
        image = record.image(index.root)
        labels = {**maps(record), "truth": record.truth_labels(index.root)}
        titles = ["image, boxes", *labels]
        boxes = figures.with_boxes(image, record.boxes, record.box_classes)
        rows.append([boxes, *(figures.over(image, label) for label in labels.values())])
    classes = {c: index.classes[c] for c in sorted({c for r in records for c in r.tags})}
    return figures.rows_figure(titles, rows, [r.id for r in records], classes)


def table(half: str, scores: dict[str, Scores]) -> list[list[str]]:
    """Print one half's table; its rows."""
    number = len(scores["GrabCut"].counts)
    draws = np.random.default_rng(0).integers(0, number, (SAMPLES, number))
    drawn = {
        name: np.array([metrics.mean_iou(np.stack(s.counts)[draw].sum(axis=0)) for draw in draws])
        for name, s in scores.items()
    }
    head = ["labels", "mIoU %", "per image", "boundary", *BINS, "over GrabCut", "over GrabCut + CRF"]
    rows = []
    for name, found in scores.items():
        apart = []
        for other in ("GrabCut", "GrabCut + CRF"):
            low, high = 100 * np.quantile(drawn[name] - drawn[other], (0.05, 0.95))
            apart.append(f"{found.row()[0] - scores[other].row()[0]:+.1f} ({low:+.1f} to {high:+.1f})")
        rows.append([name, *(f"{x:.1f}" for x in found.row()), *apart])
    shown = Table(*head, title=f"{half} half, {number} images, {len(scores['GrabCut'].objects)} objects")
    for row in rows:
        shown.add_row(*row)
    Console(width=140).print(shown)
    return [["half", *head], *([half, *row] for row in rows)]


def refined(image: np.ndarray, label: np.ndarray, tags: tuple[int, ...]) -> np.ndarray:
    """GrabCut's labels after the default CRF."""
    classes = np.array([0, *tags])
    P = np.where(label == classes[:, None, None], SURE, (1 - SURE) / max(1, len(tags)))
    P[:, ~np.isin(label, classes)] = 1 / len(classes)
    settings = Crf().fill(CrfSettings)
    unary = torch.from_numpy(P.astype(np.float32))[None]
    Q = DenseCrf(image, **settings.kernels()).infer(unary, settings.iterations)[0]
    return classes[Q.argmax(dim=0).numpy()]


if __name__ == "__main__":
    main()
