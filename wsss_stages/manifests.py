"""What finished shards made: the artifacts of every image and their sha256."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from wsss_stages import artifacts
from wsss_stages.contracts import Contract

MANIFEST_VERSION = 1


class Manifest:
    """A finished shard or set of shards: where the artifacts of each image lie and their sha256."""

    def __init__(self, paths: Iterable[Path]):
        self.items: dict[str, dict[str, tuple[Path, str]]] = {}
        self.notes: dict[str, int] = {}
        self.options: list[dict] = []
        """Of the stage that made each shard."""
        self._same: set[Path] = set()
        for path in map(Path, paths):
            content = artifacts.read_sealed(path)
            if content.get("manifest") != MANIFEST_VERSION:
                raise artifacts.ContractError(f"{path} is no manifest v{MANIFEST_VERSION}. Delete it and run again.")
            for image_id, files in content["items"].items():
                known = self.items.setdefault(image_id, {})
                known.update({name: (path.parent / file, sha) for name, (file, sha) in files.items()})
            self.options.append(content["options"])
            for note, count in content["notes"].items():
                self.notes[note] = self.notes.get(note, 0) + count

    def sha256(self, image_id: str, name: str) -> str:
        """Of an image's artifact when it was made; empty if there is none."""
        return self.items.get(image_id, {}).get(name, (None, ""))[1]

    def read(self, image_id: str, contract: Contract) -> dict[str, np.ndarray]:
        """An image's artifact. Raises ContractError where it is missing, damaged or, when it is first read, not the bytes of the
        manifest."""
        return self._read(image_id, contract)[0]

    def counted(self, image_id: str, contract: Contract) -> dict[str, int]:
        """What was counted of an image when its artifact was made. Raises as `read`."""
        return self._read(image_id, contract)[1]["notes"]

    def _read(self, image_id: str, contract: Contract) -> tuple[dict[str, np.ndarray], dict]:
        try:
            path, sha = self.items[image_id][contract.name]
        except KeyError as error:
            raise artifacts.ContractError(
                f"no {contract.name} of image {image_id} in the manifests given. "
                f"Remake it: snakemake --forcerun {contract.made_by}"
            ) from error
        arrays, meta = artifacts.read(path, contract)
        if path not in self._same and artifacts.sha256(path) != sha:
            raise artifacts.ContractError(
                f"{path} has changed since {contract.made_by} wrote it (sha256 differs from its manifest). "
                f"Remake it: snakemake --forcerun {contract.made_by}"
            )
        self._same.add(path)
        return arrays, meta
