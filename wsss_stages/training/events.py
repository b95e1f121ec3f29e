"""The curve of a training as event files of TensorBoard, beside `curve.json` and from the same values."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

WANTED = "WSSS_TENSORBOARD"
"""Variable of a training's environment that asks for event files; the setting `tensorboard` of a run sets it to 1."""
PATTERN = "events.out.tfevents.*"
MISSING = (
    "found no package tensorboard, which `tensorboard: true` needs; wanted it. Run `pip install 'wsss-stages[tensorboard]'`, or leave the "
    "setting out."
)


class Events:
    """The event file of a training, which holds every step once however often the training was resumed."""

    def __init__(self, folder: Path, curve: Sequence[dict], grades: Sequence[dict]):
        """Begin a file; those of interrupted runs are removed, and what they held is written again from the checkpoint.

        Args:
            curve, grades: entries of the steps before.
        """
        from torch.utils.tensorboard.writer import SummaryWriter

        for old in folder.glob(PATTERN):
            old.unlink()
        self.writer: Any = SummaryWriter(str(folder))
        for entry in curve:
            self.step(entry)
        for entry in grades:
            self.grade(entry)

    def step(self, entry: dict) -> None:
        """Add an entry of the curve: learning rate and terms of the loss."""
        for name, value in entry.items():
            if name != "step":
                self.writer.add_scalar(name if name == "lr" else f"loss/{name}", value, entry["step"])

    def grade(self, entry: dict) -> None:
        """Add a grade on the held-out items."""
        self.writer.add_scalar("grade", entry["grade"], entry["step"])

    def close(self) -> None:
        """Write what is left."""
        self.writer.close()


def wanted() -> bool:
    """Return whether trainings of this process write event files."""
    return os.environ.get(WANTED) == "1"


def begin(folder: Path, curve: Sequence[dict], grades: Sequence[dict]) -> Events | None:
    """Return the event file of a training; None where it is not asked for. Raises ValueError without the package."""
    if not wanted():
        return None
    try:
        return Events(folder, curve, grades)
    except ModuleNotFoundError as error:
        raise ValueError(MISSING) from error
