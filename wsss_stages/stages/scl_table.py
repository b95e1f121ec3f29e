"""A table of chapter 5 on another dataset: mIoU and FB-IoU over folds and seeds, beside the thesis's numbers.

reads   workflow/tables.yaml   rows of the table
        workflow/printed.yaml  rows of other methods, as the thesis prints them
        scores.json            of scl_evaluate, one per row and fold
writes  TABLE.csv TABLE.md TABLE.html TABLE.png
"""

import argparse
from pathlib import Path


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="name of the table in workflow/tables.yaml")
    parser.add_argument(
        "--scores",
        nargs="+",
        required=True,
        metavar="ROW=PATH",
        help="number of a row, from 0, and its scores of a fold",
    )
    parser.add_argument("--table", type=Path, required=True, help="path to write, without suffix")
    paths = parser.parse_args(argv)

    from wsss_stages.config import comparisons, tables
    from wsss_stages.roads import few_shot_table
    from wsss_stages.roads.thesis_table import by_row
    from wsss_stages.store import artifacts, provenance

    definition, files = tables.read_few_shot()[1][paths.name], by_row(paths.scores)
    scores = {number: [artifacts.read_sealed(path) for path in seed_paths] for number, seed_paths in files.items()}
    provenance.reads(*(Path(text.partition("=")[2]) for text in paths.scores))
    provenance.writes(paths.table.with_suffix(".csv"))
    few_shot_table.write(paths.table, definition, scores, comparisons.printed(paths.name))


if __name__ == "__main__":
    from wsss_stages.stages import cli

    cli.run(main)
