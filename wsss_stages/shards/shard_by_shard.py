"""A split with the artifacts of stages, one shard after the other, so that memory does not grow with the images."""

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import chain
from pathlib import Path

from wsss_stages.data.index import Index, Record
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import artifacts


class ShardByShard:
    """The images of a split, each with the manifests of its shard, of which only those of one shard are in memory."""

    def __init__(
        self, index: Index, split: str, paths: Iterable[Path], having: Callable[[Record], object] = lambda record: True
    ):
        """
        Args:
            paths: manifests k-of-n.json of any stages, all shards; where stages have different n all are read at once.
            having: which images are wanted.

        Raises: ContractError if there is a shard without a manifest.
        """
        self.index, self.split, self._having = index, split, having
        self.notes: dict[str, int] = {}
        """Counts of the shards that were read."""
        shards: dict[str, list[Path]] = {}
        for path in map(Path, paths):
            shards.setdefault(path.stem, []).append(path)
        totals = {stem.partition("-of-")[2] for stem in shards}
        if len(totals) > 1:
            shards = {"1-of-1": list(chain.from_iterable(shards.values()))}
        else:
            (total,) = totals
            missing = [stem for k in range(1, int(total) + 1) if (stem := f"{k}-of-{total}") not in shards]
            if missing:
                raise artifacts.ContractError(f"no manifest of shard {', '.join(missing)}; wanted those of all shards")
        self._shards = shards
        self._names: set[str] = set()

    @property
    def made(self) -> set[str]:
        """Return the artifact names of the first image that has any; all that are wanted must have the same."""
        if not self._names:
            every = (
                manifest.artifact_names(record.id)
                for stem, paths in self._shards.items()
                for manifest in [Manifest(paths)]
                for record in self.index.shard(self.split, stem)
            )
            self._names = next(filter(None, every), set())
        return self._names

    def __len__(self) -> int:
        return self._count

    @cached_property
    def _count(self) -> int:
        return len(self.index.split(self.split, self._having))

    def __iter__(self) -> Iterator[tuple[Record, Manifest]]:
        """Yield the items. Raises ContractError for an image whose artifacts differ from the first image's."""
        wanted, self.notes = self.made, {}
        for stem, paths in self._shards.items():
            manifest = Manifest(paths)
            for note, count in manifest.notes.items():
                self.notes[note] = self.notes.get(note, 0) + count
            for record in filter(self._having, self.index.shard(self.split, stem)):
                self._alike(record, manifest.artifact_names(record.id), wanted)
                yield record, manifest

    def _alike(self, record: Record, found: set[str], wanted: set[str]) -> None:
        if apart := sorted(found ^ wanted):
            has = "lacks" if apart[0] in wanted else "alone has"
            raise artifacts.ContractError(
                f"image {record.id} {has} {apart[0]} in the given manifests; wanted the same artifacts of every image. Give all "
                "manifests of a stage or none."
            )
