"""Where a run's time went: images an hour, share of the time and peak memory of every stage, from its benchmark files.

    python bench/pipeline.py benchmarks/voc_mini results/voc_mini/index.json

Shards of a stage run beside each other; the time is the sum over its jobs. The last lines are the box road up to its labels as a whole,
beside what takes its place in other work: GrabCut alone, and boxes that are filled.
"""

import argparse
import csv
import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from bench import seconds
from wsss_stages.labels.boxes import filled

ROAD = (
    "s1_classifier", "s2_cam", "s3_masks", "s3_seeds", "s4_affinity", "s4_object_net", "s5_graph", "s5_object_masks", "s6_propagate",
)  # fmt: skip
"""Stages from boxes to pseudo labels."""
Jobs = dict[tuple[str, str], list[tuple[float, float, float]]]
"""Stage and split to seconds, processor seconds and peak memory of its jobs."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("benchmarks", type=Path, help="folder of the run's benchmark files")
    parser.add_argument("index", type=Path, help="its index.json")
    parser.add_argument("--variant", default="ours")
    args = parser.parse_args()
    if not args.index.exists() or not args.benchmarks.exists():
        sys.exit(
            f"{args.index} and {args.benchmarks}: found no run; wanted one up to its labels. Make it first, as `make demo` does."
        )
    splits = json.loads(args.index.read_text())["splits"]
    jobs: Jobs = defaultdict(list)
    for path in sorted(args.benchmarks.rglob("*.tsv")):
        parts = path.relative_to(args.benchmarks).with_suffix("").parts
        if parts[0] == "box" and parts[1] != args.variant:
            continue
        stage = next((p for p in parts if p[0] == "s" and p[1:2].isdigit()), parts[-1])
        with path.open() as file:
            row = next(csv.DictReader(file, delimiter="\t"))
        split = "val" if "val" in parts else "train"
        jobs[stage, split].append((float(row["s"]), float(row["cpu_time"]), float(row["max_rss"])))
    total = sum(s for jobs_of_stage in jobs.values() for s, _, _ in jobs_of_stage)
    table = Table(
        "stage", "split", "jobs", "images", "seconds", "share %", "images an hour and job", "CPU s", "peak GB"
    )
    for (stage, split), jobs_of_stage in sorted(jobs.items()):
        images, wall = splits[split], sum(s for s, _, _ in jobs_of_stage)
        table.add_row(
            *(stage, split, str(len(jobs_of_stage)), str(images), f"{wall:.0f}", f"{100 * wall / total:.0f}"),
            *(f"{3600 * images / wall:.0f}", f"{sum(c for _, c, _ in jobs_of_stage):.0f}"),
            f"{max(m for _, _, m in jobs_of_stage) / 1024:.2f}",
        )
    Console().print(table)
    for what, each in road(jobs, splits["train"]).items():
        print(f"{what}: {3600 / each:.0f} images an hour of a core")


def road(jobs: Jobs, images: int) -> dict[str, float]:
    """Return the processor seconds an image of the box road, starts of jobs and trainings among them, and of what takes its place."""
    of_stage = {
        stage: sum(cpu for _, cpu, _ in jobs[stage, "train"]) / images for stage in ROAD if (stage, "train") in jobs
    }
    boxes, classes = np.array([[50, 40, 260, 300], [200, 90, 480, 350]]), np.array([1, 2], np.uint8)
    return {
        f"box road up to its labels ({len(of_stage)} stages)": sum(of_stage.values()),
        "GrabCut alone": of_stage.get("s3_masks", float("nan")),
        "boxes filled, without reading and writing": seconds(
            lambda: [filled(boxes, classes, 375, 500) for _ in range(100)]
        )
        / 100,
    }


if __name__ == "__main__":
    main()
