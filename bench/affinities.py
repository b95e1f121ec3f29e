"""Edges of several sources against each other, each with three ways to spread seeds over them: on some images of a finished run.

    python bench/affinities.py results/voc_mini --images 40 --edges affinity features colour affinity+colour --out affinities.csv

The rows are those of `snakemake table_affinities`, in one process and on images of the choosing half of bench/quality.py, whose seeds
and weights of affinity CNN and classifier are the run's. Labels are scored before any CRF on pixels, but for the row that is one, twice: mIoU
over all pixels of the images against truth, with the 90 % interval of a bootstrap over images of the difference to the seeds as
they are, and the mIoU with hidden seeds, as s6_agreement has it. Power and steps of the walk are chosen by other hidden seeds, as by
s5_walk, on images that the affinity CNN did not learn from. Seconds are those of an image, edges included.
"""

import argparse
import csv
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from quality import SAMPLES, half_of, made
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench import machine
from wsss_stages import UNKNOWN
from wsss_stages.config.options import Crf, Graph, Propagate
from wsss_stages.data.index import Index, Record, stable_hash
from wsss_stages.evaluation import metrics
from wsss_stages.roads.seed_agreement import HiddenSeeds, SeedAgreement
from wsss_stages.roads.walk_choice import WalkChoice, to_choose_by
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import contracts
from wsss_stages.store.contracts import Contract
from wsss_stages.training import graph_networks

ALONE = {"objects_share": 0.0, "grabcut_share": 0.0, "tight_share": 0.0, "keep_share": 0.0}
"""Nothing but what spreads the seeds, inside boxes."""
WAYS = {
    "random walk": {"walk_share": 1.0},
    "CRF on the edges": {"propagator": "crf", "edge_weight": 1.0},
    "A²GNN": {},
}
NO_CRF = Crf(iterations=0)
DENSE = Crf(gaussian_weight=3.0, bilateral_weight=3.0)
CHOSEN_BY = 12
"""Images to choose a walk by."""
SEEDS = "seeds"


class Sources:
    """Seeds of a run, and the edges of the image that is worked on."""

    def __init__(self, seeds: Manifest, E: np.ndarray):
        self.seeds, self.E = seeds, E

    def read(self, image_id: str, contract: Contract) -> dict[str, np.ndarray]:
        return {"E": self.E} if contract is contracts.EDGES else self.seeds.read(image_id, contract)


class Row:
    """The sums of one way over images."""

    def __init__(self):
        self.counts: list[np.ndarray] = []
        self.hidden: list[np.ndarray] = []
        self.seconds = 0.0

    def miou(self, draw: np.ndarray | slice = slice(None)) -> float:
        return 100 * metrics.mean_iou(np.stack(self.counts)[draw].sum(axis=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="folder of a finished run")
    parser.add_argument("--variant", default="ours", help="variant with the seeds and the affinity CNN (default ours)")
    parser.add_argument("--edges", nargs="+", default=["affinity", "features", "colour", "affinity+colour", "features+colour"],
                        metavar="KIND[+KIND]", help="sources of edges, of several the product")  # fmt: skip
    parser.add_argument(
        "--ways", nargs="+", default=list(WAYS), choices=list(WAYS), help="what spreads the seeds (default: all three)"
    )
    parser.add_argument("--feature-backbone", default="", help="as graph.feature_backbone (default: the classifier's)")
    parser.add_argument("--feature-weights", default="package", help="as graph.feature_weights")
    parser.add_argument("--images", type=int, default=40, help="images of the choosing half (default 40)")
    parser.add_argument("--out", type=Path, help="also write the table here, CSV")
    args = parser.parse_args()
    index = Index.read(args.results / "box" / "index.json")
    seeds = made(args.results, args.variant, "s3_seeds")
    mine = [r for r in index.split("train") if r.truth and half_of(r) == "choosing" and r.id in seeds.items]
    records = sorted(mine, key=lambda r: stable_hash(r.id, "bench.affinities"))[: args.images]
    own = {"feature_backbone": args.feature_backbone, "feature_weights": args.feature_weights}
    weights = (
        args.results / "box" / args.variant / "s4_affinity" / "weights.safetensors",
        args.results / "s1_classifier" / "weights.safetensors",
    )
    rows: dict[str, Row] = {}
    for name in args.edges:
        opt = Graph(edges=name.split("+"), **own)
        networks = graph_networks.restore(opt, *weights)
        choice = WalkChoice(networks, index, opt, "cpu")
        held = to_choose_by(index.split("train"), networks.learned)[0]
        choice.run(sorted(held, key=lambda r: stable_hash(r.id, "bench.affinities"))[:CHOSEN_BY], seeds, seeds)
        walk = choice.chosen()
        print(f"{name}: power {walk['power']:g}, {walk['steps']} steps, edges {walk['outlines']}", flush=True)
        opt = opt.model_copy(update={"walk_powers": [walk["power"]], "walk_steps": [walk["steps"]]})
        networks = replace(networks, opt=opt)
        ways = {f"{name}, {way}": Propagate(**ALONE, **WAYS[way], crf=NO_CRF) for way in args.ways}
        if not rows:
            ways |= {SEEDS: Propagate(**ALONE, propagator="none", crf=NO_CRF)}
            ways |= {"seeds, dense CRF": Propagate(**ALONE, propagator="none", crf=DENSE)}
        agreements = {title: SeedAgreement(networks, index, options, "cpu") for title, options in ways.items()}
        rows |= {title: Row() for title in ways}
        for record in track(records, name):
            photo, began = record.image(index.root), time.process_time()
            E = networks.edges(photo, "bench", record.id, "cpu").numpy().astype(np.float16)
            of_edges = time.process_time() - began
            for title, agreement in agreements.items():
                item = HiddenSeeds(record, Sources(seeds, E), opt, networks.grid, networks.window)
                agreement.add(item)
                item.hidden = torch.zeros_like(item.hidden)
                began = time.process_time()
                (trained,) = agreement.propagator.trained([(item, photo)])
                label = agreement.propagator.finished(item, photo, trained)[0]["pseudo"]
                rows[title].seconds += time.process_time() - began + of_edges
                rows[title].counts.append(counted(index, record, label))
        for title, agreement in agreements.items():
            rows[title].hidden.append(agreement.counts["pseudo"])
        show(rows, len(records), index.dataset, args)


def counted(index: Index, record: Record, label: np.ndarray) -> np.ndarray:
    """(classes, classes) pixels of an image by truth and label; unknown ones count as background."""
    truth = record.truth_labels(index.root)
    return metrics.confusion(truth, np.where(label == UNKNOWN, 0, label), len(index.classes))


def show(rows: dict[str, Row], images: int, dataset: str, args: argparse.Namespace) -> None:
    """Print what is there so far, and write it."""
    draws = np.random.default_rng(0).integers(0, images, (SAMPLES, images))
    of_seeds = np.array([rows[SEEDS].miou(draw) for draw in draws])
    head = ["edges, way", "mIoU %", "over the seeds", "90 % interval", "hidden seeds %", "s an image"]
    lines = []
    for title, row in sorted(rows.items(), key=lambda pair: pair[0] != SEEDS):
        low, high = np.quantile(np.array([row.miou(draw) for draw in draws]) - of_seeds, (0.05, 0.95))
        hidden = 100 * metrics.mean_iou(np.stack(row.hidden).sum(axis=0))
        over = row.miou() - rows[SEEDS].miou()
        texts = [f"{row.miou():.1f}", f"{over:+.1f}", f"{low:+.1f} to {high:+.1f}", f"{hidden:.1f}"]
        lines.append([title, *texts, f"{row.seconds / images:.2f}"])
    shown = Table(*head, title=f"{dataset}, {images} images of the choosing half, {args.results}; {machine()}")
    for line in lines:
        shown.add_row(*line)
    Console(width=140).print(shown)
    if args.out:
        with args.out.open("w", newline="") as file:
            csv.writer(file).writerows([head, *lines])


if __name__ == "__main__":
    main()
