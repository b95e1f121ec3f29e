"""A table of comparison on this machine: others' numbers as printed, the thesis's, and ours from the scores that are there."""

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wsss_stages.config.comparisons import Column, Comparison, Printed, Row, existing
from wsss_stages.config.tables import row_of
from wsss_stages.evaluation import table_files
from wsss_stages.store import artifacts

Cells = tuple[str | float | None, ...]


def write(path: Path, definition: Comparison, printed: list[Printed], dataset: str, folder: Path) -> None:
    """Write a table's four files.

    Args:
        path: without suffix.  printed: the other methods.  dataset: the run's.  folder: that of `results`.
    """
    header = ["row", "uses", *(column.title for column in definition.columns), "command for what is missing"]
    rows: list[Cells] = [(f"{row.method}, printed", row.about, *row.values, None) for row in printed]
    shown: list[tuple] = []
    for row in definition.rows:
        here = of_row(definition, row, dataset, folder)
        rows += [(f"{row.title}, thesis", row.about, *row.thesis, None), here]
        shown.append((row.title, here[2], None, None, row.thesis[0]))
    table_files.write(path, definition.title, note(definition, dataset), header, rows, shown, dataset)


def note(definition: Comparison, dataset: str) -> str:
    """Return what the numbers are of."""
    other = (
        ""
        if dataset == definition.dataset
        else f" This run's dataset is {dataset}, other images than {definition.data}, for which the commands are."
    )
    server = (
        ""
        if all(column.file for column in definition.columns)
        else " Columns of test images have no number here: a server scores them."
    )
    return (
        f"Rows of others and of the thesis are numbers that the thesis prints, on {definition.data}; rows `here` are read from the "
        f"results in this folder, and empty where nothing was run.{other}{server}"
    )


def of_row(definition: Comparison, row: Row, dataset: str, folder: Path) -> Cells:
    """Return the cells of a row as it was measured here, with the command that makes what is missing."""
    values = [cell(definition, row, column, dataset, folder) for column in definition.columns]
    files = {column.title: definition.files(row, column, dataset) for column in definition.columns}
    lacking = [c for c in definition.columns if len(existing(files[c.title], folder)) < len(files[c.title])]
    found = [read(path) for paths in files.values() for path in existing(paths, folder)]
    about = ", ".join(dict.fromkeys(images_of(content) for content in found)) or "not run"
    return (f"{row.title}, here", about, *values, definition.command(row, lacking) if lacking else None)


def read(path: Path) -> dict[str, Any]:
    return artifacts.read_sealed(path)


def images_of(content: dict[str, Any]) -> str:
    """Return which images scores are of."""
    return f"{content['dataset']}, {content['images']} images" if "images" in content else str(content["dataset"])


def cell(definition: Comparison, row: Row, column: Column, dataset: str, folder: Path) -> float | None:
    """Return our number of a cell in %, the mean of its files; None unless all of them are there and have it."""
    paths = definition.files(row, column, dataset)
    found = existing(paths, folder)
    if not paths or len(found) < len(paths):
        return None
    values = [value for value in numbers(column, row.how, map(read, found)) if value is not None]
    return 100 * statistics.mean(values) if len(values) == len(found) else None


def numbers(column: Column, how: str, contents: Any) -> Iterator[float | None]:
    """Yield the number of every file; of few-shot scores the mean over their lists of episodes, None where a row is not there."""
    for content in contents:
        if column.file == "few_shot":
            name = row_of(column.shots, how if column.shots > 1 else "average")
            values = content["rows"].get(name, {}).get(column.key[0])
            yield statistics.mean(values) if values else None
        else:
            value: Any = content["mean" if column.file == "instances" else "rows"]
            for key in column.key:
                value = (value or {}).get(key)
            yield value
