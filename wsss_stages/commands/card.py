"""Write the reproduction card of a table of the thesis: what is claimed, how ours is run, what was measured here, why it may differ.

    wsss card table_3_1                     # of a run of its own run files, in this folder
    wsss card table_3_1 --configfile mine.yaml --config dataset_root=FOLDER > card.md
    wsss card --all docs/cards              # of every table, and the page that lists them

The card is Markdown on standard output. Its numbers, machines, seeds and commits are those of the files below results/; send it to the
project when you have run a table on its own data.
"""

import argparse
import sys
from functools import cache
from pathlib import Path
from typing import Any

from wsss_stages.config import cards, options, run_settings, variants
from wsss_stages.stages import cli


class CardError(ValueError):
    """A table that there is none of."""


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", nargs="?", metavar="TABLE", help="name of a table, such as table_3_1 or fig_3_7")
    parser.add_argument(
        "--all", type=Path, metavar="DIR", help="write the cards of all tables and index.md into a folder"
    )
    parser.add_argument(
        "--folder", type=Path, default=Path(), metavar="DIR", help="folder of results/ (default: this one)"
    )
    parser.add_argument("--configfile", type=Path, nargs="+", default=[], help="settings of the run, as snakemake")
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="single settings, as snakemake")
    args = parser.parse_args(argv)
    if args.all:
        write_all(args.all, args.folder)
        return
    known = cards.read()[1]
    if args.table not in known:
        near = options.legal.nearest(args.table or "", list(known))
        raise CardError(f"found no table {args.table!r}; wanted one of {', '.join(known)}{near}")
    given = args.configfile or args.config
    config = variants.load([variants.DEFAULTS, *args.configfile], args.config, variants.own_file()) if given else None
    sys.stdout.write(page(args.table, args.folder, config))


def page(name: str, folder: Path, config: dict[str, Any] | None = None) -> str:
    """Return a table's card. `config`: None for that of the table's own run files."""
    from wsss_stages.roads import card

    return card.page(name, config or _config(*cards.read()[1][name].run), folder)


@cache
def _config(*runs: str) -> dict[str, Any]:
    return run_settings.load(list(runs))


def write_all(to: Path, folder: Path) -> None:
    """Write the cards of all tables, and index.md."""
    to.mkdir(parents=True, exist_ok=True)
    for name in cards.read()[1]:
        (to / f"{name}.md").write_text(page(name, folder))
    (to / "index.md").write_text(index())


def index() -> str:
    """Return the page that lists the tables in the order of the thesis, each with target, card and state."""
    from wsss_stages.roads.card import data_of

    known = cards.read()[1]
    lines = [
        f"| {label(name)} | {cards.definition(name).title} | `{name}` | {data_of(name)} | [card]({name}.md) | {', '.join(known[name].states)} |"
        for name in sorted(known, key=in_order)
    ]
    of_all = [state for card in known.values() for state in card.states]
    counts = ", ".join(f"{of_all.count(state)} {state}" for state in (cards.MEASURED, cards.MINIATURE, cards.NOT_RUN))
    about = (
        "Every table of the thesis, and its two figures with numbers: the target that makes it (`snakemake TARGET`), its card, and its state. "
        '"Measured here" is measured by us on a few hundred photographs, never yet on the thesis\'s data, and mostly at earlier commits, which [Results](../results.md) names; "runs on the miniature" means that a test '
        f"makes the table from nothing on drawn pictures in the dataset's layout. Of {len(known)} tables: {counts}.\n\n"
        "Whoever runs a table on its own data makes the card again with `wsss card TABLE` and sends it. These pages are made by "
        "`wsss card --all docs/cards`."
    )
    header = "| of the thesis | compares | target | data | card | state |\n|---|---|---|---|---|---|"
    return "\n".join(["# Reproduction cards", "", about, "", header, *lines]) + "\n"


def label(name: str) -> str:
    """Return a table's name in the thesis, as Table 3.1."""
    kind, chapter, number = name.split("_")
    return f"{'Table' if kind == 'table' else 'Fig.'} {chapter}.{number}"


def in_order(name: str) -> tuple[int, int, str]:
    kind, chapter, number = name.split("_")
    return int(chapter), int(number), kind


if __name__ == "__main__":
    cli.run(main)
