"""The run files of the repository, and the configuration that they make."""

from pathlib import Path
from typing import Any

from wsss_stages.config import variants
from wsss_stages.config.home import workflow_folder

FOLDER = workflow_folder() / "workflow" / "runs"


def paths(names: list[str]) -> list[Path]:
    """Return the files of runs, in the order of --configfile."""
    return [FOLDER / f"{name}.yaml" for name in names]


def load(names: list[str], values: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the configuration of run files, with single settings over them, for a dataset that need not be there."""
    return variants.load([variants.DEFAULTS, *paths(names)], ["dataset_root=FOLDER", *values])
