"""Print the scores of a run and where they are: every label map of every `scores.json` below a results folder."""

import argparse
import sys
from pathlib import Path

from wsss_stages.stages import cli
from wsss_stages.store import artifacts


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="results folder of a dataset")
    results: Path = parser.parse_args(argv).results
    for path in sorted(results.rglob("scores.json")):
        found = artifacts.read_sealed(path)
        sys.stdout.write(f"{path}\n")
        if not found["images"]:
            sys.stdout.write("    no truth to score against\n")
            continue
        for name, row in found["rows"].items():
            sys.stdout.write(f"    {name:12} mIoU {100 * row['miou']:5.1f} %  on {found['images']} images\n")
    sys.stdout.write("Open report.html in a browser: pictures, scores, curves and costs of every stage.\n")


if __name__ == "__main__":
    cli.run(main)
