"""A table of comparison: other methods and the thesis as printed, beside what has been run here. It makes nothing else.

reads   workflow/tables.yaml, workflow/printed.yaml   rows of the table
        scores.json, average_precision.json           of the rows that have been run
writes  TABLE.csv TABLE.md TABLE.html TABLE.png
"""

import argparse
from pathlib import Path


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--name", required=True, help="name of the table in workflow/tables.yaml")
    parser.add_argument("--dataset", required=True, help="name of the run's dataset, a folder of results/")
    parser.add_argument("--folder", type=Path, default=Path(), help="folder of results/ (default: this one)")
    parser.add_argument("--table", type=Path, required=True, help="path to write, without suffix")
    paths = parser.parse_args(argv)

    from wsss_stages.config import comparisons
    from wsss_stages.roads import comparison_table
    from wsss_stages.store import provenance

    definition = comparisons.read()[paths.name]
    provenance.reads(*comparisons.existing(definition.all_files(paths.dataset), paths.folder))
    provenance.writes(paths.table.with_suffix(".csv"))
    comparison_table.write(paths.table, definition, comparisons.printed(paths.name), paths.dataset, paths.folder)


if __name__ == "__main__":
    from wsss_stages.stages import cli

    cli.run(main)
