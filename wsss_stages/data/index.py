"""The index: every image, its weak labels and its truth if any. Later stages do not depend on a dataset's name.

On disk it is read a record at a time (data.index_file), so that an index of a million images takes tens of megabytes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from wsss_stages.data import index_file
from wsss_stages.data.hashes import hashes, sample, stable_hash
from wsss_stages.data.images import read_grey, read_labels
from wsss_stages.data.notes import Notes
from wsss_stages.data.record import Record
from wsss_stages.data.selection import Selection
from wsss_stages.data.weak.polylines import drawn, read_polylines
from wsss_stages.store import artifacts

__all__ = ["Index", "Record", "sample", "stable_hash"]


@dataclass
class Index:
    """Classes (0 is background), records by id and the ids of each split."""

    dataset: str
    root: Path
    classes: list[str]
    splits: Mapping[str, Sequence[str]]
    records: Mapping[str, Record]
    notes: Notes = field(default_factory=Notes)
    """Notes of the importer on files left out or read differently: how often, and the first names."""
    weak: str = ""
    """Kind of weak label of a run; empty: all kinds."""

    @classmethod
    def read(cls, path: Path) -> "Index":
        """Open index.json; records and ids are read when they are asked for. Raises ContractError if it is of another version or
        damaged."""
        file = index_file.IndexFile(path)
        header, splits, start = file.header, {}, 0
        for name, count in header["splits"].items():
            splits[name] = index_file.Ids(file, np.arange(start, start + count))
            start += count
        records = index_file.Records(file)
        return cls(
            header["dataset"],
            Path(header["root"]),
            header["classes"],
            splits,
            records,
            Notes.from_json(header["notes"]),
            header["weak"],
        )

    def write(self, path: Path) -> None:
        """Write index.json with the records of all splits, whole or absent."""
        header = {
            "dataset": self.dataset,
            "root": str(self.root),
            "weak": self.weak,
            "classes": self.classes,
            "notes": self.notes.to_json(),
            "splits": {name: len(ids) for name, ids in self.splits.items()},
        }
        index_file.write(path, header, (record for name in self.splits for record in self.split(name)))

    def split(self, name: str, having: Callable[[Record], object] | None = None) -> Selection[Record]:
        """Return the records of a split in order, or only those that pass a test.

        Raises ValueError for an unknown split.
        """
        ids = self._ids(name)
        if isinstance(ids, index_file.Ids) and isinstance(self.records, index_file.Records):
            records = Selection(self.records.at_position, ids.positions)
        else:
            records = Selection(self.records.__getitem__, ids)
        return records.having(having) if having else records

    def with_weak(self, weak: str) -> "Index":
        """Return a copy that keeps only one kind of weak label; `mixed` keeps all."""
        if isinstance(self.records, index_file.Records):
            return replace(self, records=index_file.Records(self.records.file, weak), weak=weak)
        return replace(self, records={name: record.with_weak(weak) for name, record in self.records.items()}, weak=weak)

    def sample(self, split: str, count: int) -> "Index":
        """Return an index with only `count` images of a split, chosen by a hash of their ids; 0 keeps all."""
        if not count:
            return self
        return replace(self, splits={**self.splits, split: sample(self.splits[split], count)})

    def shard(self, split: str, shard: str) -> list[Record]:
        """Return the records of shard `k-of-n`; an image's shard is a hash of its id, so a new image touches one shard."""
        k, n = map(int, shard.split("-of-"))
        ids, records = self._ids(split), self.split(split)
        hashed = ids.hashes if isinstance(ids, index_file.Ids) else hashes(ids)
        return [records[position] for position in np.flatnonzero(hashed % n == k - 1).tolist()]

    def _ids(self, split: str) -> Sequence[str]:
        if split not in self.splits:
            raise ValueError(f"no split {split!r} in the index; there are {', '.join(self.splits)}")
        return self.splits[split]

    def scribble_labels(self, record: Record) -> np.ndarray | None:
        """Return (height, width) uint8 classes of an image's scribbles, 255 elsewhere; None without scribbles."""
        if record.scribbles is None:
            return None
        path = self.root / record.scribbles
        size = record.full_height, record.full_width
        labels = (
            drawn(read_polylines(path, *size, self.classes, [], {}), *size)
            if path.suffix == ".xml"
            else read_labels(path)
        )
        return cv2.resize(labels, (record.width, record.height), interpolation=cv2.INTER_NEAREST)

    def saliency(self, record: Record) -> np.ndarray | None:
        """Return (height, width) float32 saliency in [0, 1] of an image; None without a map.

        Raises ContractError if the map is not the one indexed.
        """
        if record.saliency is None:
            return None
        path = self.root / record.saliency
        if artifacts.sha256(path) != record.saliency_sha256:
            raise artifacts.ContractError(
                f"{path} has changed since the index was made (sha256 differs). The dataset changed: snakemake --forcerun data"
            )
        grey = read_grey(path).astype(np.float32) / 255
        return cv2.resize(grey, (record.width, record.height), interpolation=cv2.INTER_AREA)
