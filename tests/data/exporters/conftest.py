"""A run's index of hard masks: holes, touching objects, one pixel, names in other letters."""

from xml.sax.saxutils import escape

import numpy as np
import pytest

from tests.conftest import VocFolder
from wsss_stages.data.importers.voc import import_voc

H, W = 16, 20
CLASSES = ["background", "cat", "犬 & <b>"]


def numbers():
    """Masks of objects, by image."""
    y, x = np.mgrid[:H, :W]
    ring = (abs(y - 6) < 5) & (abs(x - 6) < 5)
    ring &= ~((abs(y - 6) < 2) & (abs(x - 6) < 3))
    two = ((y == 14) & (x < 3)) | ((y > 11) & (x > 15))
    return {
        "hölzer": np.where(ring, 1, np.where((abs(y - 6) < 5) & (x >= 11), 2, np.where(two, 3, 0))),
        "a b": np.where((y == 3) & (x == 19), 1, np.where((y >= 8) & (x < 9), 2, 0)),
        "c": np.zeros((H, W), int),
    }


@pytest.fixture
def masters(tmp_path):
    """A folder in VOC layout with numbered masks; its index lies in results/index.json."""
    folder = VocFolder(tmp_path / "masters")
    (folder.root / "classes.txt").write_text("\n".join(CLASSES), encoding="utf-8")
    for image_id, mask in numbers().items():
        folder.photo(image_id)
        folder.mask(image_id, np.where(mask > 0, 2 - mask % 2, 0))
        folder.mask(image_id, mask, folder="SegmentationObject")
        folder.boxes(image_id, *[(escape(CLASSES[2 - k % 2]), 2 + k, 3, 12, 9) for k in np.unique(mask) if k])
    folder.list("train", "hölzer", "c")
    folder.list("val", "a b")
    index = import_voc("masters", folder.root)
    index.write(tmp_path / "results" / "index.json")
    return index
