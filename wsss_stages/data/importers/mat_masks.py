"""Masks of a folder in VOC layout that stand in MATLAB's files where it has no PNG."""

from abc import abstractmethod
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from wsss_stages.data.findings import DefectError
from wsss_stages.data.importers.masks import Masks
from wsss_stages.data.names import has_file


@dataclass
class MatMasks(Masks):
    """Masks ID.png, and where an image has none those of ID.mat."""

    mats: Path = field(kw_only=True)
    """Folder of ID.mat."""

    @abstractmethod
    def decoded(self, path: Path) -> tuple[np.ndarray, str]:
        """Return the (h, w) uint8 labels of a file, 255 unknown, and the note on it. Raises DefectError."""

    def path(self, record_id: str) -> Path | None:
        mat = self.mats / f"{record_id}.mat"
        return super().path(record_id) or (mat if has_file(mat, self.mats.parent) else None)

    def named(self, record_id: str) -> Path:
        mat = self.mats / f"{record_id}.mat"
        return mat if mat.exists() and not super().named(record_id).exists() else super().named(record_id)

    def read(self, path: Path, height: int, width: int, shown: Collection[int]) -> tuple[np.ndarray, list[str]]:
        if path.suffix != ".mat":
            return super().read(path, height, width, shown)
        labels, note = self.decoded(path)
        if labels.shape != (height, width):
            found, wanted = f"{labels.shape[1]}x{labels.shape[0]} pixels", f"{width}x{height} like the image"
            raise DefectError(found, wanted, "Take the mask and the photograph of one id from their archives.")
        return labels, [note]
