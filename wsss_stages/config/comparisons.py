"""The thesis's tables of comparison: others' numbers as printed, and where the numbers of our rows lie."""

from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from wsss_stages.config import tables
from wsss_stages.config.home import workflow_folder

PRINTED = workflow_folder() / "workflow" / "printed.yaml"
RUNS = "workflow/runs"
FOLDS = (0, 1, 2, 3)


class Printed(NamedTuple):
    """A method's numbers as the thesis prints them."""

    method: str
    about: str
    values: list[float | None]


class Column(BaseModel):
    """A column of numbers, and where ours lie."""

    model_config = ConfigDict(extra="forbid")

    title: str
    file: Literal["", "scores", "instances", "few_shot"] = ""
    """Empty: the dataset's server scores it."""
    key: list[str] = []
    fold: int | None = None
    """The fold whose scores are read, where `file` is few_shot; None: the mean of all."""
    shots: int = 1


class Row(BaseModel):
    """A method of the thesis: its numbers there, and the variants that make ours."""

    model_config = ConfigDict(extra="forbid")

    title: str
    about: str = ""
    run: list[str]
    dataset: str = ""
    """Name of the run on this row's data, where they are not the table's."""
    weak: str = ""
    variants: list[str]
    how: str = "average"
    thesis: list[float | None]


class Comparison(BaseModel):
    """Heading, columns and our rows."""

    model_config = ConfigDict(extra="forbid")

    title: str
    data: str
    dataset: str
    columns: list[Column]
    rows: list[Row]

    @model_validator(mode="after")
    def _a_number_for_every_column(self) -> "Comparison":
        for row in self.rows:
            if len(row.thesis) != len(self.columns):
                raise ValueError(
                    f"row {row.title!r}: found {len(row.thesis)} numbers, wanted one for each of {len(self.columns)} columns"
                )
        return self

    def files(self, row: Row, column: Column, dataset: str) -> list[str]:
        """Return the files whose numbers make a cell, several where it is a mean; none where only a server scores it.

        `dataset`: the run's, for rows that have none of their own.
        """
        if not column.file:
            return []
        variant = row.variants[self.columns.index(column)] if len(row.variants) > 1 else row.variants[0]
        root = f"results/{row.dataset or dataset}"
        if column.file == "few_shot":
            folds = FOLDS if column.fold is None else (column.fold,)
            return [f"{root}/scl/fold{fold}/{variant}/scl_evaluate/scores.json" for fold in folds]
        stage = {"scores": "s9_evaluate/val/scores.json", "instances": "s9_instances/val/average_precision.json"}
        return [f"{root}/{row.weak}/{variant}/{stage[column.file]}"]

    def all_files(self, dataset: str) -> list[str]:
        """Return the files of all cells, each once."""
        cells = (self.files(row, column, dataset) for row in self.rows for column in self.columns)
        return list(dict.fromkeys(path for cell in cells for path in cell))

    def command(self, row: Row, columns: list[Column]) -> str:
        """Return the command that makes the files of some of a row's cells, on the data that the thesis's are of."""
        targets = dict.fromkeys(path for column in columns for path in self.files(row, column, self.dataset))
        return f"snakemake {' '.join(targets)} {settings(row.run)}"


def settings(runs: list[str]) -> str:
    """Return the part of a command that names run files and data."""
    files = " ".join(f"{RUNS}/{name}.yaml" for name in runs)
    return f"--cores all --configfile {files} --config dataset_root=FOLDER"


@cache
def read() -> dict[str, Comparison]:
    """Return the tables of comparison by name."""
    return {name: Comparison(**table) for name, table in tables.content_of_file()["comparisons"].items()}


@cache
def printed(name: str) -> list[Printed]:
    """Return the other methods of a table; none of most."""
    rows = yaml.load(PRINTED.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)).get(name, [])
    return [Printed(method, about, values) for method, about, *values in rows]


def existing(paths: list[str], folder: Path = Path()) -> list[Path]:
    """Return those of some files that are there."""
    return [folder / path for path in paths if (folder / path).is_file()]
