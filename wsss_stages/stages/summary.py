"""Print where the report and the scores of a run are, and the main scores."""

import argparse
import json
import sys
from pathlib import Path


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="results folder of a dataset")
    results: Path = parser.parse_args(argv).results
    for path in sorted(results.rglob("scores.json")):
        scores = json.loads(path.read_text())
        line = "no truth to score against" if scores["miou"] is None else f"mIoU {100 * scores['miou']:.1f} %"
        sys.stdout.write(f"{path}: {line}\n")
    sys.stdout.write("Open report.html in a browser: every stage, curves, pictures and costs.\n")


if __name__ == "__main__":
    main()
