"""Records on their way from an importer to index.json."""

import os
import tempfile
import weakref
from array import array
from collections.abc import Iterator, Mapping

from wsss_stages.data import index_file
from wsss_stages.data.record import Record


class Spool(Mapping[str, Record]):
    """Records by id, in the order of their coming, in a temporary file ($TMPDIR): in memory are their ids and places.

    Each access reads a record again: to change it changes nothing here.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)
        weakref.finalize(self, self._file.close)
        self._numbers: dict[str, int] = {}
        self._places = array("Q", [0])

    def add(self, record: Record) -> None:
        self._numbers[record.id] = len(self._numbers)
        self._places.append(self._places[-1] + self._file.write(index_file.encode(record)))

    def __getitem__(self, image_id: str) -> Record:
        start, end = self._places[(number := self._numbers[image_id]) : number + 2]
        return index_file.decode(os.pread(self._file.fileno(), end - start, start))

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)
