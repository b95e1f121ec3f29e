"""See before anything is trained whether the training images have the weak labels that a run needs.

reads   index.json
writes  check_weak.json   how many training images have each kind of weak label, and what was left out or taken otherwise
"""

import argparse
import sys
from pathlib import Path


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, required=True, metavar="PATH", help="index.json")
    parser.add_argument(
        "--weak", required=True, choices=("box", "scribble", "point", "tag"), help="kind that the run needs"
    )
    parser.add_argument("--counts", type=Path, required=True, metavar="PATH", help="check_weak.json to write")
    paths = parser.parse_args(argv)

    from wsss_stages import artifacts
    from wsss_stages.data.enough import PLURAL, missing
    from wsss_stages.data.findings import DatasetError
    from wsss_stages.data.index import Index

    index = Index.read(paths.index)
    findings = missing(index, paths.weak)
    if findings:
        raise DatasetError(findings)
    records = index.split("train")
    counts = {PLURAL[kind]: sum(kind in record.kinds for record in records) for kind in PLURAL}
    artifacts.write_json(paths.counts, {"images": len(records), "with": counts, "notes": index.notes})
    sys.stdout.write(
        f"{len(records)} training images, " + ", ".join(f"{n} with {kind}" for kind, n in counts.items()) + "\n"
    )


if __name__ == "__main__":
    from wsss_stages.stages import cli

    cli.run(main)
