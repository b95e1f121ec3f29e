"""The thesis's tables, as workflow/tables.yaml has them: each row a label map of a variant, made with several seeds."""

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from wsss_stages.options import KINDS

FILE = Path(__file__).parents[1] / "workflow" / "tables.yaml"


class Row(BaseModel):
    """One row: a variant of the table's base, or a `preset` of the config."""

    model_config = ConfigDict(extra="forbid")

    title: str
    variant: str = ""
    preset: str = ""
    weak: Literal[*KINDS] | None = None
    labels: str = "pseudo"
    thesis: float | None = None
    """The thesis's mIoU on VOC 2012, %."""

    @model_validator(mode="after")
    def _one_of_both(self) -> "Row":
        if bool(self.variant) == bool(self.preset):
            raise ValueError(f"row {self.title!r} needs a variant or a preset, one of both")
        return self

    def scored(self, options: dict[str, Any]) -> list[str]:
        """Variants of the config whose scores make the row: one per seed of the section `tables`, or the preset."""
        return [self.preset] if self.preset else [name(options, self.variant, seed) for seed in range(options["seeds"])]


class Table(BaseModel):
    """Heading and rows."""

    model_config = ConfigDict(extra="forbid")

    title: str
    rows: list[Row]


def read() -> tuple[dict[str, dict], dict[str, Table]]:
    """Overrides of the rows' variants, and the tables by name."""
    content = yaml.safe_load(FILE.read_text())
    return content["variants"], {key: Table(**table) for key, table in content["tables"].items()}


def name(options: dict[str, Any], variant: str, seed: int) -> str:
    """Of a row's variant with a seed, among the config's."""
    return f"{options['base']}.{variant}.{seed}"


def variants(options: dict[str, Any]) -> dict[str, dict]:
    """What the config's variants get from the tables: every row's overrides over `base`, with every seed.

    A seed is that of the affinity CNN and of A²GNN; classifier and CAMs are the same for all.
    """
    overrides, _ = read()
    made: dict[str, dict] = {}
    for seed in range(options["seeds"]):
        images = {"images": options["images"]}
        full = name(options, "full", seed)
        made[full] = {
            "base": options["base"],
            "affinity": {"seed": seed},
            "graph": images,
            "propagate": {**images, "seed": seed},
            "evaluate": images,
        }
        made |= {name(options, key, seed): {"base": full, **changes} for key, changes in overrides.items() if changes}
    return made
