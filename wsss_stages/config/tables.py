"""The thesis's tables, as workflow/tables.yaml has them: rows are label maps of variants with several seeds, or scores of few-shot networks."""

import itertools
from functools import cache
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from wsss_stages.config.home import workflow_folder
from wsss_stages.config.options import KINDS

FILE = workflow_folder() / "workflow" / "tables.yaml"


class Row(BaseModel):
    """One row: a variant of the table's base, or a `preset` of the config."""

    model_config = ConfigDict(extra="forbid")

    title: str
    variant: str = ""
    preset: str = ""
    weak: Literal[*KINDS] | None = None  # pyright: ignore[reportInvalidTypeForm]
    labels: str = ""
    """Label map that is scored; empty: the table's."""
    thesis: float | None = None
    """The thesis's mIoU on VOC 2012, %."""
    thesis_seconds: float | None = None
    """The thesis's seconds of an iteration."""

    @model_validator(mode="after")
    def _one_of_both(self) -> "Row":
        if bool(self.variant) == bool(self.preset):
            raise ValueError(f"row {self.title!r} needs a variant or a preset, one of both")
        return self


class Table(BaseModel):
    """A table's heading, its rows, and their common settings."""

    model_config = ConfigDict(extra="forbid")

    title: str
    base: str = ""
    """Variant that the rows change; empty: the config's `tables.base`."""
    weak: Literal[*KINDS] | None = None  # pyright: ignore[reportInvalidTypeForm]
    """Kind of weak label; None: the run's."""
    split: Literal["train", "val"] = "train"
    labels: str = "pseudo"
    timed: bool = False
    """The table also shows the seconds of an iteration of RRM."""
    agreement: bool = False
    """The table also shows how well hidden seeds are found again, which needs no truth."""
    rows: list[Row]

    def scored(self, row: Row, options: dict[str, Any]) -> list[str]:
        """Return the config's variants whose scores make a row: one per seed of the section `tables`, or the preset."""
        base = self.base or options["base"]
        return [row.preset] if row.preset else [name(base, row.variant, seed) for seed in range(options["seeds"])]

    def labels_of(self, row: Row) -> str:
        return row.labels or self.labels

    def weak_of(self, row: Row) -> str | None:
        return row.weak or self.weak

    def runs(self, images: int, seed: int) -> dict[str, dict]:
        """Return the overrides that give all rows a seed: that of RRM and of DFR where they make the predictions,
        else of the affinity CNN and of A²GNN, and the number of images. Classifier and CAMs are the same for all.
        """
        if self.split == "val":
            return {"rrm": {"seed": seed}, "dfr": {"seed": seed}}
        some = {"images": images}
        return {
            "affinity": {"seed": seed},
            "graph": some,
            "propagate": {**some, "seed": seed},
            "evaluate": some,
        }


def content_of_file() -> dict[str, Any]:
    """Return the content of FILE, by libyaml: every start of snakemake reads it several times."""
    return yaml.load(FILE.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def read() -> tuple[dict[str, dict], dict[str, Table]]:
    """Return the overrides of the rows' variants, and the tables by name."""
    content = content_of_file()
    return content["variants"], {key: Table(**table) for key, table in content["tables"].items()}


def name(base: str, variant: str, seed: int) -> str:
    """Return the config's name of a row's variant with a seed."""
    return f"{base}.{variant}.{seed}"


@cache
def variants(base: str, images: int, seeds: int) -> dict[str, dict]:
    """Return the variants that the tables' rows add to the config's, by name, for options of the section `tables`.

    Every row's overrides lie over its table's base or over another row (its `base`), with every seed; those of chapter 5 are as
    they are written.
    """
    overrides, tables = read()
    made = dict(read_few_shot()[0])
    for table, seed in itertools.product(tables.values(), range(seeds)):
        own = table.base or base
        made[name(own, "full", seed)] = {"base": own, **table.runs(images, seed)}
        changed = [row.variant for row in table.rows if row.variant and overrides[row.variant]]
        for key in changed:
            shares = name(own, overrides[key].get("base", "full"), seed)
            made[name(own, key, seed)] = {**overrides[key], "base": shares}
    return made


def row_of(shots: int, how: str) -> str:
    """Return the name of a row of scores.json: supports averaged, "cross" (Eq. 5.17), or a "prototype" that nothing was trained for."""
    return f"{shots}-shot" if shots == 1 and how == "average" else f"{shots}-shot {how}"


def control_of(row: str) -> str:
    """Return the row of the control, whose support shows a class that is not scored."""
    return f"{row}, another class"


class FewShotRow(BaseModel):
    """One row of chapter 5: a row of the scores of a variant, on some of the folds."""

    model_config = ConfigDict(extra="forbid")

    title: str
    variant: str
    scored: str
    """Row of scores.json."""
    thesis: list[float] = []
    """mIoU of the thesis on PASCAL-5^i, %: of each fold, or one mean of all; empty where it has no such row."""
    thesis_fb: float | None = None

    def thesis_of(self, folds: list[int]) -> float | None:
        """Return the thesis's mean over these folds, or over all where it has no other."""
        if not self.thesis:
            return None
        means = self.thesis if len(self.thesis) == 1 else [self.thesis[fold] for fold in folds]
        return sum(means) / len(means)


class FewShotTable(BaseModel):
    """Heading and rows."""

    model_config = ConfigDict(extra="forbid")

    title: str
    rows: list[FewShotRow]


def read_few_shot() -> tuple[dict[str, dict], dict[str, FewShotTable]]:
    """Return the variants that chapter 5's rows add to the config's, and the tables by name."""
    content = content_of_file()["few_shot"]
    return content["variants"], {key: FewShotTable(**table) for key, table in content["tables"].items()}
