"""Inputs of episodes: an image's maps of the frozen backbone, made once by scl_features, and masks of its classes
beside them.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from wsss_stages.data.few_shot.squares import mask_of_class, mask_on_square
from wsss_stages.data.index import Index
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import artifacts
from wsss_stages.store.contracts import DEEP, MIDDLE, Contract


class Frozen:
    """Maps and masks of images by id."""

    def __init__(self, index: Index, manifests: Iterable[Path], deep: bool):
        """Open the maps.

        `deep`: read the map of the last block too. Raises ContractError if the manifests have several backbones or sides.
        """
        self.index, self.deep = index, deep
        self.manifest = Manifest(manifests, self._contracts)
        first, *others = self.manifest.options
        if any(options != first for options in others):
            raise artifacts.ContractError(
                "the manifests of scl_features were made with several backbones or sides. Remake them: snakemake --forcerun scl_features"
            )
        self.options, self.side = first, first["side"]

    @property
    def _contracts(self) -> tuple[Contract, ...]:
        return (MIDDLE, DEEP) if self.deep else (MIDDLE,)

    def check_options(self, wanted: dict) -> None:
        """Raise ContractError unless the maps were made with these options."""
        if self.options != wanted:
            raise artifacts.ContractError(
                f"the maps were made with {self.options}, but the network needs {wanted}. Give it the same backbone and weights, "
                "or remake them: snakemake --forcerun scl_features"
            )

    def maps(self, image: str) -> dict[str, np.ndarray]:
        """Return float16 (y, x, d) maps by name of the contract."""
        return {c.name: self.manifest.read(image, c)["F"] for c in self._contracts}

    def bytes_of(self, channels: int) -> int:
        """Return the bytes of a map of `channels` channels in half precision."""
        return 2 * channels * (self.side // self.options["stride"]) ** 2

    def truth(self, image: str, cls: int) -> np.ndarray:
        """Return (full_height, full_width) uint8: 1 the class, 0 others, 255 open."""
        return mask_of_class(self.index.records[image].known_truth(self.index.root), cls)

    def mask(self, image: str, cls: int) -> np.ndarray:
        """Return the same mask on the square."""
        return mask_on_square(self.truth(image, cls), self.side)
