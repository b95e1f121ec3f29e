"""Texts of the cards of the thesis's tables: claims, runs, reasons why numbers may differ, what was measured."""

from functools import cache
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from wsss_stages.config import comparisons, dag, options, tables, variants
from wsss_stages.config.home import workflow_folder

FILE = workflow_folder() / "workflow" / "cards.yaml"
MEASURED, MINIATURE, NOT_RUN = "measured here", "runs on the miniature", "not run"
FEW_SHOT = ("scl_episodes", "scl_features", "scl", "scl_evaluate")
Definition = tables.Table | tables.FewShotTable | comparisons.Comparison


class Reason(BaseModel):
    """A reason why a number may differ from the thesis's."""

    model_config = ConfigDict(extra="forbid")

    text: str
    effect: str
    """Empty: there is nothing to measure."""
    source: str
    """Page of docs/."""


class Measurement(BaseModel):
    """A measurement of a table: its data, and what came out."""

    model_config = ConfigDict(extra="forbid")

    data: str
    text: str
    source: str


class Card(BaseModel):
    """The text of a table's card."""

    model_config = ConfigDict(extra="forbid")

    claim: str
    run: list[str]
    weak: str
    variant: str
    why: list[str]
    measured: Measurement | None = None
    miniature: bool = False

    @property
    def states(self) -> list[str]:
        """Return what has been done with the table."""
        done = [*([MEASURED] if self.measured else []), *([MINIATURE] if self.miniature else [])]
        return done or [NOT_RUN]


@cache
def read() -> tuple[dict[str, Reason], dict[str, Card]]:
    """Return the reasons and the cards by name; a table has its chapter's run and reasons, and those of its own."""
    content = yaml.safe_load(FILE.read_text())
    reasons = {name: Reason(**reason) for name, reason in content["reasons"].items()}
    cards = {}
    for name, own in content["tables"].items():
        chapter = content["chapters"][name.split("_")[1]]
        why = own.pop("only", None) or [*own.get("why", []), *chapter["why"]]
        cards[name] = Card(**{**chapter, **own, "why": why})
    return reasons, cards


@cache
def definition(name: str) -> Definition:
    """Return a table, whatever kind it is of."""
    return (tables.read()[1] | tables.read_few_shot()[1] | comparisons.read())[name]


def sections(config: dict[str, Any], card: Card, name: str) -> list[str]:
    """Return the sections of the options on a card's road, in the order of the data."""
    if isinstance(definition(name), tables.FewShotTable) or name.startswith("table_5"):
        return ["data", "classifier", *FEW_SHOT]
    road = (config, card.variant, card.weak)
    stages = [*dag.label_stages(*road), *dag.trainings(*road), "s8_predict"]
    first = ["data", *(["classifier"] if dag.uses_classifier(*road) else [])]
    if dag.uses_cams(*road):
        stages += ["s2_cam"]
    if dag.uses_masks(*road):
        stages += ["s3_masks"]
    if any("instances" in run for run in card.run):
        stages = [s for s in stages if s not in ("s7_segment", "s8_predict")]
        stages += ["s6_instance_masks", "s7_instances", "s8_detect"]
    return first + list(dict.fromkeys(section for stage, section in dag.STAGES.items() if stage in stages))


def differing(config: dict[str, Any], section: str, variant: str, weak: str) -> dict[str, Any]:
    """Return the options of a section that are not their defaults, nested ones with a dot."""
    given = variants.section(config, section, variant, weak)
    return dict(_differing(given, options.SECTIONS[section]().model_dump()))


def _differing(given: dict[str, Any], defaults: dict[str, Any]) -> list[tuple[str, Any]]:
    found = []
    for name, value in given.items():
        if isinstance(value, dict) and isinstance(defaults[name], dict):
            found += [(f"{name}.{inner}", v) for inner, v in _differing(value, defaults[name])]
        elif value != defaults[name]:
            found.append((name, value))
    return found
