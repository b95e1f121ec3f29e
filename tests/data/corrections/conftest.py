"""A run of three training images and a validation image whose index is written, without any stage."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsss_stages.data.importers.voc import import_voc
from wsss_stages.data.index import Index

CLASSES = ["background", "cat", "dog"]


@dataclass
class Run:
    root: Path
    index: Index

    def mask(self, folder: Path, name: str, labels: np.ndarray, palette: list[int] | None = None) -> Path:
        """Write a mask by hand."""
        folder.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(np.asarray(labels, np.uint8))
        if palette:
            image.putpalette(palette)
        image.save(folder / name)
        return folder / name


@pytest.fixture
def run(voc, tmp_path):
    """A cat in `a` and in the validation image `b`, a cat and a dog in `c1`, nothing in `dd22`; sizes differ."""
    for name, size in (("c1", (30, 24)), ("dd22", (12, 10))):
        voc.photo(name, size=size)
    voc.boxes("c1", ("cat", 2, 3, 10, 12), ("dog", 15, 5, 28, 20))
    voc.boxes("dd22")
    voc.list("train", "a", "c1", "dd22")
    import_voc("mine", voc.root).write(tmp_path / "results/mine/index.json")
    return Run(tmp_path, Index.read(tmp_path / "results/mine/index.json"))


@pytest.fixture
def painted():
    """A cat of 4 x 5 pixels in a mask of `a`, 20 x 16 pixels."""
    labels = np.zeros((16, 20), np.uint8)
    labels[4:8, 3:8] = 1
    return labels
