"""Formats by the names of the option `--to`; every module of this folder registers its own."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from wsss_stages.data.exporters.pictures import Picture
from wsss_stages.data.patches import Patch
from wsss_stages.nets.registry import Registry


class Writer(ABC):
    """A format: images are added one after the other, and after `close` read again in the same order."""

    photographs: ClassVar[str | None] = None
    """Folder of the photographs below the export, with {split} and {name}; None where the format has no place for them."""

    def __init__(self, folder: Path, classes: list[str], dataset: str, objects: bool):
        """
        Args:
            folder: an empty folder to write into.  classes: background first.  objects: things are objects, not whole classes.
        """
        self.folder, self.classes, self.dataset, self.objects = folder, classes, dataset, objects
        self.notes: dict[str, int] = {}
        """Things that the format cannot hold, and their numbers."""

    @abstractmethod
    def add(self, picture: Picture) -> None:
        """Write an image."""

    def close(self) -> None:  # noqa: B027
        """Finish the files."""

    @abstractmethod
    def read(self, picture: Picture) -> list[Patch | None]:
        """Return the masks of the next image as they stand in the files, thing by thing; None for one without a mask."""


FORMATS: Registry[type[Writer]] = Registry(__name__)
exports = FORMATS.register
