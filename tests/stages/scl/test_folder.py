"""SCL with a user's folder of a few masks."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from wsss_stages import training
from wsss_stages.data.few_shot.episodes import Episodes
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.images import read_labels
from wsss_stages.data.index import Index
from wsss_stages.stages import scl_segment
from wsss_stages.store import artifacts


class Folder:
    """A user's folders: two annotated scenes, and queries of another size."""

    def __init__(self, run, root):
        self.root, index = root, Index.read(run.index)
        (root / "support" / "masks").mkdir(parents=True)
        (root / "query").mkdir()
        made = Episodes.read(run.episodes).test[0][0]
        for image in made.supports[:2]:
            record = index.records[image]
            truth = record.truth_labels(index.root)
            Image.fromarray(record.image(index.root)).resize((320, 240)).save(root / "support" / f"{image}.png")
            mask = Image.fromarray(np.uint8(255 * (truth == made.cls)))  # black and white
            mask.resize((320, 240), Image.Resampling.NEAREST).save(root / "support" / "masks" / f"{image}.png")
        self.names = list(made.supports[:2])
        Image.fromarray(index.records[made.query].image(index.root)[:100]).save(root / "query" / "q.jpg")

    def argv(self, weights, *more):
        its = ("--support", self.root / "support", "--query", self.root / "query", "--out", self.root / "out")
        return [str(a) for a in (*its, "--weights", weights, *more)]

    def mask(self, number=0):
        return self.root / "support" / "masks" / f"{self.names[number]}.png"


@pytest.fixture
def folder(run, tmp_path):
    return Folder(run, tmp_path)


@pytest.mark.parametrize("name", ["canet", "pfenet"])
def test_a_users_folder_with_supports_larger_than_the_query(run, folder, name):
    scl_segment.main(folder.argv(run.weights[name]))
    label = read_labels(folder.root / "out" / "q.png")
    assert label.shape == (100, 160) and set(np.unique(label)) <= {0, 1}
    with Image.open(folder.root / "out" / "overlays" / "q.jpg") as overlay:
        assert overlay.size == (160, 100)
    scl_segment.main(folder.argv(run.weights[name], "--fusion", "average", "--scales", "[1.0, 1.25]"))


def test_faults_of_a_users_folder_are_told_all_at_once(run, folder):
    Image.fromarray(np.zeros((240, 320), np.uint8)).save(folder.mask(0))
    Image.fromarray(np.full((240, 320), 255, np.uint8)).save(folder.mask(1))
    Image.new("RGB", (8, 8)).save(folder.root / "support" / "alone.jpg")
    Image.new("RGB", (8, 8)).save(folder.root / "support" / "small.jpg")
    Image.fromarray(np.ones((9, 8), np.uint8)).save(folder.root / "support" / "masks" / "small.png")
    with pytest.raises(DatasetError) as told:
        scl_segment.main(folder.argv(run.weights["canet"]))
    text = str(told.value)
    assert "4 finding(s)" in text
    for part in (
        "found a mask without a pixel of the object; wanted an object", "found a mask without a pixel of background",
        "alone.png: found no mask of alone.jpg; wanted photographs NAME.jpg", "found 8x9 pixels; wanted 8x8 pixels as its photograph",
    ):  # fmt: skip
        assert part in text
    assert not (folder.root / "out").exists()


def test_no_support_no_query_and_no_writing_over_photographs(run, folder):
    with pytest.raises(ValueError, match="holds the photographs, which are never written over"):
        scl_segment.main([*folder.argv(run.weights["canet"]), "--out", str(folder.root / "query")])
    with pytest.raises(DatasetError, match="query: found no photograph; wanted at least one"):
        (folder.root / "query" / "q.jpg").unlink()
        scl_segment.main(folder.argv(run.weights["canet"]))
    shutil.rmtree(folder.root / "support")
    with pytest.raises(DatasetError, match="support: found no such folder; wanted at least one"):
        scl_segment.main(folder.argv(run.weights["canet"]))


def test_weights_of_another_network_are_refused(folder, tmp_path):
    network = torch.nn.Linear(1, 1)
    training.save_weights(tmp_path / "w.safetensors", network, {"stage": "s7_segment"})
    with pytest.raises(artifacts.ContractError, match="found weights of s7_segment, wanted those of scl_train"):
        scl_segment.main(folder.argv(tmp_path / "w.safetensors"))
