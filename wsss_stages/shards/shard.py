"""A shard of an image-wise stage: its images, finished artifacts and substitutions; its manifest is written last."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wsss_stages.data.index import Index, Record
from wsss_stages.shards.manifest import MANIFEST_VERSION, Manifest
from wsss_stages.shards.pruning import prune
from wsss_stages.store import artifacts, locks
from wsss_stages.store.contracts import Contract


class Item:
    """One image of a shard, with the artifacts of earlier stages."""

    def __init__(self, shard: "Shard", record: Record):
        self.record, self.id, self._shard = record, record.id, shard

    @property
    def size(self) -> tuple[int, int]:
        """Return height and width."""
        return self.record.height, self.record.width

    @property
    def image(self) -> np.ndarray:
        """Return (h, w, 3) uint8 RGB, upright."""
        return self.record.image(self._shard.index.root)

    def read(self, contract: Contract) -> dict[str, np.ndarray]:
        """Return the artifact that an earlier stage made of this image."""
        return self._shard.sources[contract.name].read(self.id, contract)

    @property
    def done(self) -> bool:
        """Return whether the image's artifacts are whole already."""
        return self._shard.is_done(self.id)

    def write(
        self, results: Mapping[str, np.ndarray | Mapping[str, np.ndarray]], notes: dict[str, int] | None = None
    ) -> None:
        """Write this stage's artifacts (name of contract to array or arrays) and count substitutions."""
        self._shard.write(self, results, notes or {})


class Shard:
    """The images of one manifest; `todo` yields those whose artifacts are not whole yet.

    An artifact counts as whole if it reads and carries the fingerprint of everything that it depends on: the
    stage's options, the image, its weak labels, the earlier artifacts and the weights.
    """

    def __init__(
        self,
        stage: str,
        contracts: tuple[Contract, ...],
        index: Index,
        split: str,
        manifest: Path,
        options: dict,
        reads: list[tuple[Contract, Path]],
        weights: str = "",
        sees: tuple[str, ...] | None = None,
        evidence: Callable[[Record], Any] | None = None,
    ):
        """
        Args:
            contracts: artifacts that the stage makes of each image.  manifest: k-of-n.json to write.
            reads: artifacts of earlier stages that it reads, with their manifests.  weights: sha256 of a network's weights.
            sees: the parts of a record that it uses beside the photograph at working size; None: all weak labels.
            evidence: what else an image's artifacts depend on, such as files of the user's own; None: nothing.
        """
        self.stage, self.contracts, self.index, self.sees = stage, contracts, index, sees
        self._more = evidence
        self.manifest, self.options, self.weights = Path(manifest), options, weights
        self.sources = {contract.name: Manifest([path]) for contract, path in reads}
        self.records = index.shard(split, self.manifest.stem)
        self._done: dict[str, dict] = {}

    def todo(self) -> list[Item]:
        """Yield the images still to be made, in the order of the index; this process owns the shard until it is finished.

        Raises InUseError if another process is making it.
        """
        locks.take(self.manifest, self.manifest, *(self._path(r, c) for r in self.records for c in self.contracts))
        self._done = {r.id: notes for r in self.records if (notes := self._whole(r)) is not None}
        return [Item(self, r) for r in self.records if r.id not in self._done]

    def is_done(self, image_id: str) -> bool:
        """Return whether an image's artifacts are whole, as `todo` or `batches` found."""
        return image_id in self._done

    def batches(self, cost: Callable[[Record], int], limit: int, one_size: bool = False) -> list[list[Item]]:
        """Yield batches with an image still to be made; cost of the largest image times the number stays under `limit`.

        Images of similar size share a batch, or only those of the same size if `one_size`. Batches do not depend on
        which images are done already, so that a resumed run computes the very same numbers.
        """
        self.todo()
        batches: list[list[Item]] = []
        for record in sorted(self.records, key=lambda r: (cost(r), r.height, r.id)):
            full = not batches or (len(batches[-1]) + 1) * cost(record) > limit
            if full or (one_size and batches[-1][0].size != (record.height, record.width)):
                batches.append([])
            batches[-1].append(Item(self, record))
        return [batch for batch in batches if not all(item.done for item in batch)]

    def write(self, item: Item, results: Mapping, notes: dict[str, int]) -> None:
        """Write an image's artifacts; its last one makes it whole."""
        meta = {
            "fingerprint": self._fingerprint(item.record),
            "stage": self.stage,
            "options": self.options,
            "notes": notes,
        }
        for contract in self.contracts:
            arrays = results[contract.name]
            if isinstance(arrays, np.ndarray):
                arrays = {next(iter(contract.fields)): arrays}
            artifacts.write(self._path(item.record, contract), contract, arrays, meta)
        self._done[item.id] = notes

    def finish(self) -> None:
        """Write the manifest; every image must be whole. Files of images that the shard no longer has are deleted."""
        missing = [r.id for r in self.records if r.id not in self._done]
        if missing:
            raise RuntimeError(f"{self.stage}: {len(missing)} images were not made, the first is {missing[0]}")
        items, notes = {}, {}
        for record in self.records:
            paths = {c.name: self._path(record, c) for c in self.contracts}
            items[record.id] = {
                name: [str(path.relative_to(self.manifest.parent)), artifacts.sha256(path)]
                for name, path in paths.items()
            }
            for note, count in self._done[record.id].items():
                notes[note] = notes.get(note, 0) + count
        artifacts.write_sealed(
            self.manifest,
            {
                "manifest": MANIFEST_VERSION,
                "stage": self.stage,
                "contracts": {c.name: c.version for c in self.contracts},
                "options": self.options,
                "items": items,
                "notes": notes,
            },
        )
        self._prune()
        locks.release(self.manifest)

    def _prune(self) -> None:
        # of fewer `images` the others stay: they are in the index, and whole when all are wanted again
        folder, known = self.manifest.parent, self.index.records
        stale = [p for c in self.contracts for p in prune(folder / c.name, c.suffix, known, self.manifest.stem)]
        if stale:
            sys.stderr.write(
                f"{self.stage}: deleted {len(stale)} files of images that are no longer in the index, {stale[0]} first\n"
            )

    def _path(self, record: Record, contract: Contract) -> Path:
        return self.manifest.parent / contract.name / f"{record.id}{contract.suffix}"

    def _fingerprint(self, record: Record) -> str:
        upstream = {name: source.sha256(record.id, name) for name, source in self.sources.items()}
        contracts = [(c.name, c.version) for c in self.contracts]
        return artifacts.fingerprint(
            self.stage, contracts, self.options, self._evidence(record), upstream, self.weights
        )

    def _evidence(self, record: Record) -> list:
        seen = self._more(record) if self._more else None
        more = [] if seen is None else [seen]
        if self.sees is None:
            return [*record.evidence(), *more]
        return [record.sha256, record.height, record.width, *(getattr(record, name) for name in self.sees), *more]

    def _whole(self, record: Record) -> dict | None:
        """Return the notes of an image that is already made, None if it is not."""
        wanted = self._fingerprint(record)
        meta: dict = {}
        for contract in self.contracts:
            path = self._path(record, contract)
            if not path.exists():
                return None
            try:
                _, meta = artifacts.read(path, contract)
            except artifacts.ContractError:
                return None
            if meta.get("fingerprint") != wanted:
                return None
        return meta["notes"]
