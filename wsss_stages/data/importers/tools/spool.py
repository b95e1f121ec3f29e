"""Images of an export on their way from its reader to the builder, in a temporary file: in memory are only their names and places."""

import os
import pickle
import tempfile
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from wsss_stages.data.importers.tools.shapes import Item, Kind


@dataclass
class Entry:
    """Facts about an image that are wanted before it is read again."""

    name: str
    where: Path
    size: tuple[int, int] | None
    subset: str
    sha256: str
    place: tuple[int, int]


class Items:
    """The images of an export; each access reads one again."""

    def __init__(self, items: Iterable[Item]):
        self._file = tempfile.TemporaryFile(buffering=0)
        weakref.finalize(self, self._file.close)
        self.entries: list[Entry] = []
        self.named: dict[str, set[Kind]] = {}
        """Kinds of the shapes of every class."""
        end = 0
        for item in items:
            length = self._file.write(pickle.dumps(item))
            self.entries.append(Entry(item.name, item.where, item.size, item.subset, item.sha256, (end, length)))
            end += length
            for shape in item.shapes:
                self.named.setdefault(shape.name, set()).add(shape.kind)

    @property
    def kinds(self) -> set[Kind]:
        """Return the kinds of all shapes."""
        return set().union(*self.named.values())

    def read(self, entry: Entry) -> Item:
        """Return an image with its shapes."""
        start, length = entry.place
        return pickle.loads(os.pread(self._file.fileno(), length, start))  # written by this process alone
