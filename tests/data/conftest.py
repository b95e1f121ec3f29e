"""Folders in COCO's layout by hand."""

import json

import numpy as np
import pytest
from PIL import Image

from wsss_stages.data.findings import DatasetError
from wsss_stages.data.importers.coco import import_coco

SQUARE = [[2, 3, 10, 3, 10, 12, 2, 12]]


class CocoFolder:
    """Images 1 and 2 for training, 3 for validation, with categories 7 (dog) and 3 (cat); tests spoil `content`."""

    def __init__(self, root):
        self.root = root
        self.content = {"train": self.list("train", 1, 2), "val": self.list("val", 3)}
        self.add("train", 1, 3, [2, 3, 8, 9], SQUARE)
        self.add("val", 3, 7, [2, 3, 8, 9], SQUARE)

    def list(self, name, *numbers):
        (self.root / name).mkdir(parents=True)
        for number in numbers:
            Image.new("RGB", (20, 16)).save(self.root / name / f"{number:03d}.jpg")
        images = [{"id": n, "file_name": f"{n:03d}.jpg", "width": 20, "height": 16} for n in numbers]
        categories = [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat"}]
        return {"images": images, "annotations": [], "categories": categories}

    def add(self, name, image, category, box, segmentation, **more):
        annotations = self.content[name]["annotations"]
        annotations.append(
            {"id": len(annotations) + 1, "image_id": image, "category_id": category, "bbox": box,
             "segmentation": segmentation, "iscrowd": 0, **more}
        )  # fmt: skip

    def read(self, **options):
        (self.root / "annotations").mkdir(exist_ok=True)
        for name, content in self.content.items():
            (self.root / "annotations" / f"instances_{name}.json").write_text(json.dumps(content))
        return import_coco("toy", self.root, "train", "val", self.root.parent / "truth", **options)

    def only_finding(self):
        with pytest.raises(DatasetError) as caught:
            self.read()
        (found,) = caught.value.findings
        return str(found)


@pytest.fixture
def coco(tmp_path):
    return CocoFolder(tmp_path / "coco")


class Folder:
    """A folder of photographs and lists anywhere; a list of one box in each of its images."""

    def __init__(self, root):
        self.root = root
        root.mkdir()

    def photo(self, name, seed=None):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        seed = len(list(self.root.rglob("*"))) if seed is None else seed
        Image.fromarray(np.random.default_rng(seed).integers(0, 255, (16, 20, 3), np.uint8)).save(path)
        return path

    def list(self, path, *names, **more):
        content = {
            "images": [{"id": n, "file_name": name, "width": 20, "height": 16} for n, name in enumerate(names)],
            "categories": [{"id": 1, "name": "cat"}],
            "annotations": [
                {"id": n, "image_id": n, "category_id": 1, "bbox": [2, 3, 8, 9], "segmentation": [], "iscrowd": 0}
                for n in range(len(names))
            ],
        }
        content |= more
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(json.dumps(content))
        return content

    def write(self, path, content):
        (self.root / path).write_text(json.dumps(content))

    def read(self, train="train", val="val", **options):
        return import_coco("toy", self.root, train, val, self.root.parent / "truth", **options)

    def findings(self, *lists):
        with pytest.raises(DatasetError) as caught:
            self.read(*lists)
        assert not (self.root.parent / "truth").exists()
        return [str(finding) for finding in caught.value.findings]


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "coco")
