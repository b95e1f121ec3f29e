"""index.json: one JSON object, a line for every record, read a record at a time.

{"index": 6, "dataset": ..., "root": ..., "weak": ..., "classes": [...], "notes": {...}, "splits": {"train": 2, "val": 1},
"records": [
{"id": "a", ...},         of the first split, in its order, then of the next; fields that are empty are left out
...
],
"sha256": "..."}          of all lines above
"""

import hashlib
import json
import os
import re
import weakref
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import BinaryIO, SupportsIndex

import numpy as np

from wsss_stages.data.hashes import stable_hash
from wsss_stages.data.record import Record
from wsss_stages.store import artifacts
from wsss_stages.store.contracts import INDEX_VERSION

REMEDY = "Remake it: snakemake --forcerun data"
NEEDED = {f.name for f in fields(Record) if f.default is MISSING and f.default_factory is MISSING}
OPENING = b'"records": [\n'
ID_AT = len('{"id": ')
_decoder, _encoder = json.JSONDecoder(), json.JSONEncoder(ensure_ascii=False)


def write(path: Path, header: dict, records: Iterable[Record]) -> None:
    """Write an index, whole or absent; one record at a time is in memory.

    Args:
        header: all before the records; `splits` gives the number of records of each split, in order.

    Raises: ValueError if there are more records or fewer than in the splits, or two with one id.
    """
    digest, ids = hashlib.sha256(), array("Q")
    with artifacts.whole(path) as partial, open(partial, "wb") as file:
        for text in _texts(header, records, ids):
            digest.update(text)
            file.write(text)
        file.write(f'"sha256": "{digest.hexdigest()}"}}\n'.encode())
        if len(ids) != sum(header["splits"].values()):
            raise ValueError(f"{path}: {len(ids)} records, but the splits are {header['splits']}")
        if len(np.unique(np.array(ids))) != len(ids):
            raise ValueError(f"{path}: an image is in the splits twice; wanted every id once")


def _texts(header: dict, records: Iterable[Record], ids: array) -> Iterator[bytes]:
    """Yield the text of the file without the last line; note the hash of every id."""
    yield _json({"index": INDEX_VERSION, **header})[:-1] + b",\n" + OPENING
    for record in records:
        yield b",\n" * bool(ids) + encode(record)
        ids.append(stable_hash(record.id))
    yield b"\n" * bool(ids) + b"],\n"


def encode(record: Record) -> bytes:
    """Return a record as a line of the file, without its end; empty fields are left out."""
    return _json({name: value for name, value in vars(record).items() if value or name in NEEDED})


def decode(line: bytes) -> Record:
    """Return the record at a line's beginning."""
    return Record(**_decoder.raw_decode(line.decode())[0])


def _json(content: dict) -> bytes:
    return _encoder.encode(content).encode()


class IndexFile:
    """An index on disk.

    It is read once, which checks it; only the offsets of its lines and the hashes of its ids stay in memory.
    """

    def __init__(self, path: Path):
        """Open the index. Raises ContractError if it is of another version or damaged."""
        self.path = path
        self._fd = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._fd)
        with open(self._fd, "rb", closefd=False) as file:
            try:
                self.header = self._scan(file)
            except ValueError as error:
                if isinstance(error, artifacts.ContractError):
                    raise
                raise artifacts.ContractError(f"{path} is damaged ({error}). {REMEDY}") from error

    def _scan(self, file: BinaryIO) -> dict:
        first = file.readline()
        header = self._header(first)
        digest, places, ids = hashlib.sha256(first), array("Q"), array("Q")
        place = len(first)
        for line in file:
            digest.update(line)
            place += len(line)
            if line == b"],\n":
                break
            if line != OPENING:
                ids.append(stable_hash(_id(line)))
            places.append(place)
        if file.read() != f'"sha256": "{digest.hexdigest()}"}}\n'.encode():
            raise ValueError("its sha256 differs from its last line: bytes were changed or are missing")
        self._places, self.hashes = np.array(places, np.uint64), np.array(ids, np.uint64)
        self._order: np.ndarray | None = None
        return header

    def _header(self, first: bytes) -> dict:
        try:
            header = json.loads(first.removesuffix(b",\n") + b"}")
        except ValueError:
            header = {}
        if header.get("index") != INDEX_VERSION:
            older = re.search(rb'"index": (\d+)', os.pread(self._fd, 1 << 20, 0))
            found = f"index v{older[1].decode()}" if older else "not an index of this project, or damaged"
            raise artifacts.ContractError(f"{self.path} is {found}, v{INDEX_VERSION} is wanted. {REMEDY}")
        return header

    def __len__(self) -> int:
        return len(self.hashes)

    def record(self, position: SupportsIndex) -> Record:
        """Read one record."""
        return decode(self._line(position))

    def id(self, position: SupportsIndex) -> str:
        """Read the id of one record."""
        return _id(self._line(position))

    def position(self, image_id: str) -> int | None:
        """Return the position of an id's record; None if there is none."""
        if self._order is None:
            self._order = np.argsort(self.hashes)
        wanted = np.uint64(stable_hash(image_id))
        at = int(np.searchsorted(self.hashes, wanted, sorter=self._order))
        while at < len(self) and self.hashes[self._order[at]] == wanted:
            if self.id(self._order[at]) == image_id:
                return int(self._order[at])
            at += 1
        return None

    def _line(self, position: SupportsIndex) -> bytes:
        at = int(position)
        start, end = int(self._places[at]), int(self._places[at + 1])
        return os.pread(self._fd, end - start, start)


def _id(line: bytes) -> str:
    image_id, _ = _decoder.raw_decode(line.decode(), ID_AT)
    if not isinstance(image_id, str):
        raise ValueError(f"a record with the id {image_id!r}")
    return image_id


class Records(Mapping[str, Record]):
    """Records of an index on disk by id, as a run on one kind of weak label sees them; empty: with all labels."""

    def __init__(self, file: IndexFile, weak: str = ""):
        self.file, self.weak = file, weak

    def at_position(self, position: SupportsIndex) -> Record:
        """Return the record at a position of the index."""
        record = self.file.record(position)
        return record.with_weak(self.weak) if self.weak else record

    def __getitem__(self, image_id: str) -> Record:
        position = self.file.position(image_id)
        if position is None:
            raise KeyError(image_id)
        return self.at_position(position)

    def __contains__(self, image_id: object) -> bool:
        return isinstance(image_id, str) and self.file.position(image_id) is not None

    def __iter__(self) -> Iterator[str]:
        return map(self.file.id, range(len(self)))

    def __len__(self) -> int:
        return len(self.file)


class Ids(Sequence[str]):
    """Ids of a split of an index on disk, in its order."""

    def __init__(self, file: IndexFile, positions: np.ndarray):
        self._file, self.positions = file, positions

    @property
    def hashes(self) -> np.ndarray:
        """Return (n,) uint64 `stable_hash` of every id."""
        return self._file.hashes[self.positions]

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, at):
        return Ids(self._file, self.positions[at]) if isinstance(at, slice) else self._file.id(self.positions[at])

    def __iter__(self) -> Iterator[str]:
        return map(self._file.id, self.positions)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)
