"""Make the index for a run on one kind of weak label, or on all; missing labels are reported before any training.

reads   index.json             with all weak labels there are
writes  WEAK/index.json        with those of one kind, and the tags; `mixed` keeps all
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from wsss_stages.config.options import KINDS
from wsss_stages.store import provenance


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, required=True, metavar="PATH", help="index.json")
    parser.add_argument("--weak", required=True, choices=tuple(KINDS), help="kind of weak label of the run")
    parser.add_argument("--out", type=Path, required=True, metavar="PATH", help="index.json to write")
    paths = parser.parse_args(argv)
    provenance.reads(paths.index)
    provenance.writes(paths.out)
    provenance.tell(options={"weak": paths.weak})

    from wsss_stages.data.findings import DatasetError
    from wsss_stages.data.index import Index
    from wsss_stages.data.weak.completeness import PLURAL, missing

    index = Index.read(paths.index)
    findings = missing(index, paths.weak)
    if findings:
        raise DatasetError(findings)
    index.with_weak(paths.weak).write(paths.out)
    kinds = Counter(kind for record in index.split("train") for kind in record.kinds)
    counts = [f"{kinds[kind]} with {name}" for kind, name in PLURAL.items()]
    taken = PLURAL.get(paths.weak, "best of them for every pixel")
    sys.stdout.write(f"{len(index.splits['train'])} training images, {', '.join(counts)}; this run uses the {taken}\n")


if __name__ == "__main__":
    from wsss_stages.stages import cli

    cli.run(main)
