"""A table of the thesis on another dataset: the scores of its rows here, beside the thesis's numbers.

reads   workflow/tables.yaml   rows of the table
        workflow/printed.yaml  rows of other methods, as the thesis prints them
        scores.json            of s9_evaluate on the images that the table is about; one per row and seed
        pace.json              of rrm_train, likewise, for a table with seconds of an iteration
        agreement.json         of s6_agreement, likewise, for a table with hidden seeds
writes  TABLE.csv TABLE.md TABLE.html TABLE.png
"""

import argparse
from pathlib import Path


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="name of the table in workflow/tables.yaml")
    parser.add_argument(
        "--scores", nargs="+", required=True, metavar="ROW=PATH", help="number of a row, from 0, and its scores"
    )
    parser.add_argument(
        "--paces",
        nargs="+",
        default=[],
        metavar="ROW=PATH",
        help="number of a row and its seconds of an iteration, if the table shows them",
    )
    parser.add_argument(
        "--agreements",
        nargs="+",
        default=[],
        metavar="ROW=PATH",
        help="number of a row and how well it finds hidden seeds, if the table shows that",
    )
    parser.add_argument("--table", type=Path, required=True, help="path to write, without suffix")
    paths = parser.parse_args(argv)

    from wsss_stages.config import comparisons, tables
    from wsss_stages.roads import thesis_table
    from wsss_stages.store import artifacts, provenance

    files = [thesis_table.by_row(texts) for texts in (paths.scores, paths.paces, paths.agreements)]
    scores, paces, agreements = (
        {number: [artifacts.read_sealed(path) for path in of_seeds] for number, of_seeds in found.items()}
        for found in files
    )
    provenance.reads(*(path for found in files for of_seeds in found.values() for path in of_seeds))
    provenance.writes(paths.table.with_suffix(".csv"))
    thesis_table.write(
        paths.table, tables.read()[1][paths.name], scores, paces, agreements, comparisons.printed(paths.name)
    )


if __name__ == "__main__":
    from wsss_stages.stages import cli

    cli.run(main)
