"""The reproduction card of a table of the thesis: what is claimed, how ours is run, what was measured in a folder, why it may differ."""

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from wsss_stages.config import cards, comparisons, dag, tables, variants
from wsss_stages.roads import comparison_table
from wsss_stages.roads.run_files import RunFiles
from wsss_stages.store import artifacts, provenance


class Line(NamedTuple):
    """A row of a table: the thesis's numbers, ours, and the files that ours are read from, as far as they are there."""

    title: str
    printed: list[float | None]
    here: list[float | None]
    files: list[Path]


def page(name: str, config: dict[str, Any], folder: Path) -> str:
    """Return a table's card as Markdown.

    Args:
        config: the run's.  folder: that of `results`.
    """
    table, (reasons, known) = cards.definition(name), cards.read()
    card = known[name]
    columns, lines = rows(name, config, folder)
    why = [_reason(reasons[reason]) for reason in card.why]
    parts = [
        f"# {table.title}",
        f"State: **{', '.join(card.states)}**. Data of the thesis: {data_of(name)}.",
        f"## Claimed\n\n{card.claim}\n\n{printed_table(columns, lines)}",
        f"## How ours is run\n\n```\n{command(name, card)}\n```\n\n{differing(name, config)}",
        f"## Measured\n\n{measured(card)}{here(columns, lines, config, folder)}",
        f"## Why yours may differ\n\n{chr(10).join(why)}",
    ]
    return "\n\n".join(parts) + "\n"


def data_of(name: str) -> str:
    """Return what the thesis's numbers are of."""
    table = cards.definition(name)
    if isinstance(table, comparisons.Comparison):
        return table.data
    if isinstance(table, tables.FewShotTable):
        return "PASCAL-5^i"
    return "VOC 2012 with SBD, training images" if table.split == "train" else "VOC 2012, validation images"


def command(name: str, card: cards.Card) -> str:
    """Return the command that makes the table and everything that it needs, or of a comparison first its rows."""
    table = cards.definition(name)
    makes = f"snakemake {name} {comparisons.settings(card.run)}"
    if not isinstance(table, comparisons.Comparison):
        return makes
    return "\n".join([*(table.command(row, table.columns) for row in table.rows), makes])


def rows(name: str, config: dict[str, Any], folder: Path) -> tuple[list[str], list[Line]]:
    """Return the titles of a table's numbers, and the rows."""
    table = cards.definition(name)
    if isinstance(table, comparisons.Comparison):
        titles = [column.title for column in table.columns]
        return titles, [_compared(table, row, config, folder) for row in table.rows]
    if isinstance(table, tables.FewShotTable):
        return ["mIoU %", "FB-IoU %"], [_few_shot(row, config, folder) for row in table.rows]
    return ["mIoU %"], [_scored(table, row, config, folder) for row in table.rows]


def _compared(table: comparisons.Comparison, row: comparisons.Row, config: dict[str, Any], folder: Path) -> Line:
    dataset = config["dataset"]
    values = [comparison_table.cell(table, row, column, dataset, folder) for column in table.columns]
    paths = dict.fromkeys(path for column in table.columns for path in table.files(row, column, dataset))
    return Line(row.title, row.thesis, values, comparisons.existing(list(paths), folder))


def _scored(table: tables.Table, row: tables.Row, config: dict[str, Any], folder: Path) -> Line:
    weak = table.weak_of(row) or config["weak"]
    paths = [
        f"results/{config['dataset']}/{weak}/{variant}/s9_evaluate/{table.split}/scores.json"
        for variant in table.scored(row, variants.section(config, "tables"))
    ]
    found = comparisons.existing(paths, folder)
    scores = [artifacts.read_sealed(path)["rows"][table.labels_of(row)]["miou"] for path in found]
    known = [100 * score for score in scores if score is not None]
    return Line(row.title, [row.thesis], [statistics.mean(known) if known else None], found)


def _few_shot(row: tables.FewShotRow, config: dict[str, Any], folder: Path) -> Line:
    folds = variants.section(config, "tables")["folds"]
    home = dag.home(config, row.variant, "scl_evaluate")
    paths = [f"results/{config['dataset']}/scl/fold{fold}/{home}/scl_evaluate/scores.json" for fold in folds]
    found = comparisons.existing(paths, folder)
    scores = [artifacts.read_sealed(path)["rows"].get(row.scored) for path in found]
    means = [
        100 * statistics.mean(statistics.mean(score[key]) for score in scores if score) if any(scores) else None
        for key in ("miou", "fb_iou")
    ]
    return Line(row.title, [row.thesis_of(folds), row.thesis_fb], means, found)


def printed_table(columns: list[str], lines: list[Line]) -> str:
    """Return the thesis's numbers."""
    return _table(["row", *columns], [[line.title, *map(_number, line.printed)] for line in lines])


def differing(name: str, config: dict[str, Any]) -> str:
    """Return the options that differ from their defaults, a line for every section on the road."""
    card = cards.read()[1][name]
    lines = [f"- `weak: {card.weak}`, `variant: {card.variant}`, `shards: {config['shards']}`"]
    for section in cards.sections(config, card, name):
        changed = cards.differing(config, section, card.variant, card.weak)
        if changed:
            lines.append(f"- `{section}`: " + ", ".join(f"`{key}: {_shown(value)}`" for key, value in changed.items()))
    return "\n".join(["Options that differ from the [defaults](../options.md):", "", *lines])


def measured(card: cards.Card) -> str:
    """Return what was measured of the table and stands in the documentation."""
    if not card.measured:
        return ""
    return f"By us, on {card.measured.data}: {card.measured.text} ([more](../{card.measured.source})).\n\n"


def here(columns: list[str], lines: list[Line], config: dict[str, Any], folder: Path) -> str:
    """Return what the records of a folder say: numbers of the rows, images, and the trainings behind them."""
    files = list(dict.fromkeys(path for line in lines for path in line.files))
    if not files:
        return f"Found no scores in `results/{config['dataset']}`: nothing of the table has been run there."
    numbers = [[line.title, *map(_number, line.here), *map(_number, line.printed)] for line in lines]
    header = ["row", *(f"{title} here" for title in columns), *(f"{title} thesis" for title in columns)]
    images = dict.fromkeys(comparison_table.images_of(artifacts.read_sealed(path)) for path in files)
    trained = list(dict.fromkeys(record for path in files for record in trainings(path, config, folder)))
    behind = _table(["training", "had settled", "seed", "seconds", "on", "torch", "commit"], [list(r) for r in trained])
    return f"In this folder: {', '.join(images)}.\n\n{_table(header, numbers)}\n\n{behind}"


def trainings(scores: Path, config: dict[str, Any], folder: Path) -> Iterator[tuple[str, ...]]:
    """Yield a row for every training behind scores, from the curve and the record of the weights beside it."""
    for curve in _curves(scores.relative_to(folder), config, folder):
        settled = {True: "yes", False: "no", None: ""}[artifacts.read_sealed(curve).get("settled")]
        runs = provenance.runs(curve.with_name("weights.safetensors"))
        last = runs[-1] if runs else {}
        commit = ((last.get("code") or {}).get("commit") or "")[:7]
        yield (
            str(curve.parent.relative_to(folder / "results")),
            settled,
            str(last.get("options", {}).get("seed", "")),
            f"{sum(run['seconds'] for run in runs):.0f}",
            str(last.get("device", "")),
            str(last.get("libraries", {}).get("torch", "")),
            commit,
        )


def _curves(scores: Path, config: dict[str, Any], folder: Path) -> list[Path]:
    """Return the learning curves behind a file of scores, results/DATASET/WEAK/VARIANT/... or results/DATASET/scl/FOLD/VARIANT/..."""
    _, dataset, weak, variant, *_ = scores.parts
    if weak == "scl":
        home = dag.home(config, scores.parts[4], "scl_train")
        path = folder / "results" / dataset / "scl" / variant / home / "scl_train" / "curve.json"
        return [path] if path.is_file() else []
    try:
        variants.known_variant(config, variant)
    except variants.ConfigError:  # another run's
        return []
    return RunFiles(config | {"dataset": dataset, "weak": weak, "variant": variant}, folder).curves()


def _reason(reason: cards.Reason) -> str:
    effect = f" Effect: {reason.effect}." if reason.effect else ""
    return f"- {reason.text}{effect} ([more](../{reason.source}))"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "''" if value == "" else str(value)


def _table(header: list[str], lines: list[list[str]]) -> str:
    cells = [header, ["---"] * len(header), *lines]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in cells)
