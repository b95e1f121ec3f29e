"""The artifacts that finished shards made of every image, and their sha256."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

import numpy as np

from wsss_stages.store import artifacts
from wsss_stages.store.contracts import Contract

MANIFEST_VERSION = 1


class Manifest:
    """A finished shard or set of shards: where the artifacts of each image lie and their sha256.

    Files are read one after the other; of each artifact about 300 bytes stay in memory.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        contracts: Collection[Contract] | None = None,
        images: Collection[str] | None = None,
    ):
        """
        Args:
            contracts, images: artifacts and ids to keep, of those that there are; None: all.
        """
        self.notes: dict[str, int] = {}
        self.options: list[dict] = []
        """Options of the stage that made each shard."""
        self.made: set[str] = set()
        """Names of all artifacts, kept or not."""
        self._names = None if contracts is None else {contract.name for contract in contracts}
        self._images = images
        self._folders: list[Path] = []
        self._files: dict[str, dict[str, str]] = {}
        """Entries by the artifact's name and the image's id: sha256, number of the folder, number in `_same`, file."""
        self._same = bytearray()
        """1 for a file that was found to be the bytes of the manifest."""
        for path in map(Path, paths):
            self._add(path)

    def _add(self, path: Path) -> None:
        content = artifacts.read_sealed(path)
        if content.get("manifest") != MANIFEST_VERSION:
            raise artifacts.ContractError(f"{path} is no manifest v{MANIFEST_VERSION}. Delete it and run again.")
        for image_id, files in content["items"].items():
            self.made.update(files)
            if self._images is not None and image_id not in self._images:
                continue
            for name, (file, sha) in files.items():
                if self._names is None or name in self._names:
                    entry = f"{sha} {len(self._folders)} {len(self._same)} {file}"
                    self._files.setdefault(name, {})[image_id] = entry
                    self._same.append(False)
        self._folders.append(path.parent)
        self.options.append(content["options"])
        for note, count in content["notes"].items():
            self.notes[note] = self.notes.get(note, 0) + count

    @property
    def items(self) -> "Items":
        """Return path and sha256 of every image's artifacts, by their names."""
        return Items(self)

    def artifact_names(self, image_id: str) -> set[str]:
        """Return the names of the artifacts of an image."""
        return {name for name, files in self._files.items() if image_id in files}

    def file(self, image_id: str, name: str) -> tuple[Path, str]:
        """Return path and sha256 of an image's artifact. Raises KeyError if there is none."""
        path, sha, _ = self._file(image_id, name)
        return path, sha

    def sha256(self, image_id: str, name: str) -> str:
        """Return the sha256 of an image's artifact when it was made; empty if there is none."""
        return self.file(image_id, name)[1] if image_id in self._files.get(name, {}) else ""

    def read(self, image_id: str, contract: Contract) -> dict[str, np.ndarray]:
        """Return an image's artifact. Raises ContractError where it is missing, damaged or, when it is first read,
        differs from the sha256 of the manifest.
        """
        return self._read(image_id, contract)[0]

    def counted(self, image_id: str, contract: Contract) -> dict[str, int]:
        """Return the counts noted for an image when its artifact was made. Raises as `read`."""
        return self._read(image_id, contract)[1]["notes"]

    def _file(self, image_id: str, name: str) -> tuple[Path, str, int]:
        sha, folder, number, file = self._files[name][image_id].split(" ", 3)
        return self._folders[int(folder)] / file, sha, int(number)

    def _read(self, image_id: str, contract: Contract) -> tuple[dict[str, np.ndarray], dict]:
        try:
            path, sha, number = self._file(image_id, contract.name)
        except KeyError as error:
            raise artifacts.ContractError(
                f"no {contract.name} of image {image_id} in the given manifests. "
                f"Remake it: snakemake --forcerun {contract.made_by}"
            ) from error
        arrays, meta = artifacts.read(path, contract)
        if not self._same[number] and artifacts.sha256(path) != sha:
            raise artifacts.ContractError(
                f"{path} has changed since {contract.made_by} wrote it (sha256 differs from its manifest). "
                f"Remake it: snakemake --forcerun {contract.made_by}"
            )
        self._same[number] = True
        return arrays, meta


class Items(Mapping[str, dict[str, tuple[Path, str]]]):
    """Images of a manifest, each with path and sha256 of its artifacts by their names."""

    def __init__(self, manifest: Manifest):
        self._manifest = manifest

    def __getitem__(self, image_id: str) -> dict[str, tuple[Path, str]]:
        names = self._manifest.artifact_names(image_id)
        if not names:
            raise KeyError(image_id)
        return {name: self._manifest.file(image_id, name) for name in sorted(names)}

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(chain.from_iterable(self._manifest._files.values())))

    def __len__(self) -> int:
        return len(set().union(*self._manifest._files.values()))
