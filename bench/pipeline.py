"""Where a run's time went: images an hour, share of the time and peak memory of every stage, from its benchmark files.

    python bench/pipeline.py benchmarks/voc_mini results/voc_mini/index.json

Shards of a stage run beside each other; the time is the sum over its jobs.
"""

import argparse
import csv
import json
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

TRAINED = ("s1_classifier", "s4_affinity", "s7_segment")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("benchmarks", type=Path, help="folder of the run's benchmark files")
    parser.add_argument("index", type=Path, help="its index.json")
    parser.add_argument("--variant", default="ours")
    args = parser.parse_args()
    splits = json.loads(args.index.read_text())["splits"]
    jobs = defaultdict(list)
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


if __name__ == "__main__":
    main()
