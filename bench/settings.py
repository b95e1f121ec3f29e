"""A²GNN's settings against quality and time: its labels of a finished run's images under each, scored against truth.

    python bench/settings.py results/voc_mini --images 100

Every row runs s6_propagate without soft masks of boxes (config.yaml's variant a2gnn) as the workflow does, a process for each
shard with one thread each, on the run's seeds and edges; a row that is done is read, not made again. Seconds an image are the
processor time of all of it: features, training, CRF and files. Differences are to the full setting (256 hidden, all features,
100 epochs), with 95 % intervals of a bootstrap over images, the same for both. Goal: the default's mIoU within 0.5 of the full
one's.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from bench import finish, machine
from wsss_stages.data.index import Index, stable_hash
from wsss_stages.evaluation import metrics
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import contracts

ALONE = {"objects_share": 0, "grabcut_share": 0.3, "crf.gaussian_weight": 3, "crf.bilateral_weight": 3}
FULL = {"hidden": 256, "features": 0, "epochs_first": 50, "epochs_second": 50}
SETTINGS: dict[str, dict[str, float | str]] = {
    "full": FULL,
    "default": {},
    "one image at a time": {"batch_nodes": 1},
    "hidden 256": {"hidden": 256},
    "hidden 32": {"hidden": 32},
    "all features": {"features": 0},
    "features 64": {"features": 64},
    "epochs 50 + 50": {"epochs_first": 50, "epochs_second": 50},
    "epochs 10 + 10": {"epochs_first": 10, "epochs_second": 10},
    "epochs 50 + 50, stop below 1 %": {"epochs_first": 50, "epochs_second": 50, "stop_below": 0.01},
    "stop below 2 %": {"stop_below": 0.02},
    "all classes": {"restrict_classes": "false"},
}
SAMPLES = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="folder of a finished run")
    parser.add_argument("--images", type=int, default=100, help="how many, chosen by a hash of their ids")
    parser.add_argument("--variant", default="ours")
    parser.add_argument("--affinity", type=Path, help="weights of s4_affinity (default: the variant's)")
    parser.add_argument("--out", type=Path, default=Path("bench_settings"))
    args = parser.parse_args()
    folder = args.results / "box" / args.variant
    affinity = args.affinity or folder / "s4_affinity" / "weights.safetensors"
    index = Index.read(args.results / "index.json")
    with_truth = [i for i in index.splits["train"] if index.records[i].truth]
    index.splits["train"] = sorted(with_truth, key=lambda i: stable_hash(i, "bench.settings"))[: args.images]
    index.write(args.out / "index.json")
    counts, seconds = {}, {}
    for name, options in SETTINGS.items():
        seconds[name] = run(folder, affinity, args.out / name.replace(" ", "_"), args.out / "index.json", options)
        counts[name] = confusions(index, args.out / name.replace(" ", "_"))
        print(
            f"{name}: {seconds[name]:.2f} s, mIoU {100 * metrics.mean_iou(counts[name].sum(axis=0)):.2f} %", flush=True
        )
    draws = np.random.default_rng(0).integers(0, len(counts["full"]), (SAMPLES, len(counts["full"])))
    full = np.array([metrics.mean_iou(counts["full"][draw].sum(axis=0)) for draw in draws])
    table = Table("setting", "s an image", "mIoU %", "difference to full", "95 % interval")
    for name, count in counts.items():
        apart = [metrics.mean_iou(count[draw].sum(axis=0)) for draw in draws] - full
        low, high = 100 * np.quantile(apart, (0.025, 0.975))
        miou = [100 * metrics.mean_iou(c.sum(axis=0)) for c in (count, counts["full"])]
        table.add_row(
            name, f"{seconds[name]:.2f}", f"{miou[0]:.2f}", f"{miou[0] - miou[1]:+.2f}", f"{low:+.2f} to {high:+.2f}"
        )
    print(
        f"{machine()}; {len(index.splits['train'])} images of {index.dataset}, variant {args.variant}, labels after the CRF"
    )
    Console().print(table)
    default = metrics.mean_iou(counts["default"].sum(axis=0)) - metrics.mean_iou(counts["full"].sum(axis=0))
    finish(default < -0.005)


def run(folder: Path, affinity: Path, out: Path, index: Path, options: dict) -> float:
    """Processor seconds an image of s6_propagate into `out`, one process a shard; from its file if it is done."""
    done = out / "seconds.json"
    if done.exists():
        return json.loads(done.read_text())
    shards = sorted(path.name for path in (folder / "s5_graph" / "train").glob("*-of-*[0-9].json"))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    processes = []
    for shard in shards:
        files = {
            "index": index,
            "seeds-manifest": folder / "s3_seeds" / "train" / shard,
            "graph": folder / "s5_graph" / "train" / shard,
            "affinity": affinity,
            "manifest": out / shard,
            "device": "cpu",
            **{name.replace("_", "-"): value for name, value in (ALONE | options).items()},
        }
        line = [sys.executable, "-m", "wsss_stages.stages.s6_propagate"]
        line += [word for name, value in files.items() for word in (f"--{name}", str(value))]
        processes.append(subprocess.Popen(line, env=os.environ | {"OMP_NUM_THREADS": "1"}))
    if any(process.wait() for process in processes):
        sys.exit(f"s6_propagate failed with {options}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    seconds = used / len(Manifest(sorted(out.glob("*-of-*[0-9].json"))).items)
    done.write_text(json.dumps(seconds))
    return seconds


def confusions(index: Index, out: Path) -> np.ndarray:
    """(images, classes, classes) counts of the pseudo labels."""
    manifest, n = Manifest(sorted(out.glob("*-of-*[0-9].json"))), len(index.classes)
    pairs = [(r.truth_labels(index.root), manifest.read(r.id, contracts.PSEUDO)["label"]) for r in index.split("train")]
    return np.stack([metrics.confusion(truth, label, n) for truth, label in pairs])


if __name__ == "__main__":
    main()
