"""The order of the tests, a folder in VOC layout by hand, and the toy run of all stages."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.once import once

FIRST = "test_summary.py"
"""A small file of tests that need the toy: one process makes it while the others run what needs none."""


@pytest.hookimpl(trylast=True)  # after those that -m leaves out have gone
def pytest_collection_modifyitems(items):
    """SLURM's tests come first: they mostly wait, beside the others. Then slow files, so that none is left alone at the end.

    Without a GPU its tests are skipped.
    """
    slurm, slow = ({item.path for item in items if item.get_closest_marker(name)} for name in ("slurm", "slow"))
    items.sort(key=lambda item: (item.path not in slurm, item.path.name != FIRST, item.path not in slow))
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason="torch sees no CUDA device"))


@pytest.fixture(autouse=True)
def _seeded():
    """The same draws in every run: a test that failed fails again."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def toy(tmp_path_factory):
    """A run of all stages, which tests read; what they change they make or copy elsewhere."""
    from tests.toy import Toy, make  # all stages, with torch: for tests that need them

    return Toy(once(tmp_path_factory.getbasetemp(), "toy", make))


class VocFolder:
    """A VOC-layout folder with two classes; tests spoil it."""

    def __init__(self, root: Path):
        self.root = root
        (root / "JPEGImages").mkdir(parents=True)
        (root / "classes.txt").write_text("background\ncat\ndog\n")

    def photo(self, image_id: str, size=(20, 16), suffix=".jpg", mode="RGB", **options) -> Path:
        path = self.root / "JPEGImages" / f"{image_id}{suffix}"
        rng = np.random.default_rng(len(image_id))
        array = rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(array).convert(mode).save(path, **options)
        return path

    def boxes(self, image_id: str, *objects) -> Path:
        """`objects`: (name, xmin, ymin, xmax, ymax), written as they are."""
        path = self.root / "Annotations" / f"{image_id}.xml"
        path.parent.mkdir(exist_ok=True)
        keys = ("xmin", "ymin", "xmax", "ymax")
        texts = [
            f"<object><name>{name}</name><bndbox>"
            + "".join(f"<{k}>{v}</{k}>" for k, v in zip(keys, box, strict=True))
            + "</bndbox></object>"
            for name, *box in objects
        ]
        path.write_text(f"<annotation>{''.join(texts)}</annotation>")
        return path

    def mask(self, image_id: str, labels: np.ndarray, folder="SegmentationClass", mode="L") -> Path:
        path = self.root / folder / f"{image_id}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.uint8(labels)).convert(mode).save(path)
        return path

    def list(self, name: str, *ids: str) -> Path:
        path = self.root / "ImageSets" / "Segmentation" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{i}\n" for i in ids))
        return path


@pytest.fixture
def voc(tmp_path):
    """Make two good images, `a` for training and `b` for validation."""
    folder = VocFolder(tmp_path / "voc")
    for image_id in "ab":
        folder.photo(image_id)
        folder.boxes(image_id, ("cat", 2, 3, 10, 12))
        folder.mask(image_id, np.pad([[1]], ((5, 10), (4, 15))))
    folder.list("train", "a")
    folder.list("val", "b")
    return folder
