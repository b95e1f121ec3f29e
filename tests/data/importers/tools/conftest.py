"""Exports of annotation tools by hand: a folder or a zip of texts, JSON and photographs."""

import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from wsss_stages.data.findings import DatasetError
from wsss_stages.data.images import read_labels
from wsss_stages.data.importers.kinds import KINDS, Settings

W, H = 20, 16


class ExportFolder:
    """A folder of an export; tests fill it."""

    def __init__(self, root):
        self.root, self.truth = root, root.parent / "results" / "truth"
        root.mkdir()

    def photo(self, name, size=(W, H), seed=0, **options):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng([seed, len(name)]).integers(0, 255, (size[1], size[0], 3), np.uint8)
        Image.fromarray(pixels).save(path, **options)
        return path

    def write(self, name, content):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    def zip(self, name="export.zip"):
        """Pack the folder as it is; return the archive beside it."""
        path = self.root.parent / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(self.root.rglob("*")):
                if file.is_file():
                    archive.write(file, file.relative_to(self.root).as_posix())
        return path

    def read(self, kind, root=None, **options):
        settings = {
            "train_list": "train",
            "val_list": "val",
            "weak_labels": "",
            "truth_list": "",
            "saliency": "",
            "limit": 0,
        }
        settings |= {"max_side": 0, "scenes_train": 0, "scenes_val": 0, **options}
        return KINDS[kind]("toy", root or self.root, self.truth, Settings(**settings))

    def findings(self, kind, root=None, **options):
        """Return the findings of an export that is refused; nothing may have been written."""
        with pytest.raises(DatasetError) as caught:
            self.read(kind, root, **options)
        assert not self.truth.parent.exists()
        return [str(finding) for finding in caught.value.findings]


def labels_of(index, image_id, what="truth"):
    """Return the PNG of an image's truth, instances or scribbles."""
    return read_labels(index.root / getattr(index.records[image_id], what))


@pytest.fixture
def export(tmp_path):
    return ExportFolder(tmp_path / "export")
