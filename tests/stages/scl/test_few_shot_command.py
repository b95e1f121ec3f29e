"""SCL with a user's folder of a few masks."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from tests.messages import only, raises
from wsss_stages import training
from wsss_stages.commands import few_shot
from wsss_stages.data.few_shot.episodes import Episodes
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.images import read_labels
from wsss_stages.data.index import Index
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
        flags = ("--support", self.root / "support", "--photos", self.root / "query", "--out", self.root / "out")
        return [str(a) for a in (*flags, "--weights", weights, *more)]

    def mask(self, number=0):
        return self.root / "support" / "masks" / f"{self.names[number]}.png"


@pytest.fixture
def folder(run, tmp_path):
    return Folder(run, tmp_path)


@pytest.mark.parametrize("name", ["canet", "pfenet"])
def test_a_users_folder_with_supports_larger_than_the_query(run, folder, name, capsys):
    few_shot.main(folder.argv(run.weights[name], "--overlays", "--probabilities"))
    label = read_labels(folder.root / "out/masks/q.png")
    assert label.shape == (100, 160) and set(np.unique(label)) <= {0, 1}
    with Image.open(folder.root / "out" / "overlays" / "q.jpg") as overlay:
        assert overlay.size == (160, 100)
    few_shot.main(folder.argv(run.weights[name], "--fusion", "average", "--scales", "[1.0, 1.25]"))
    assert "1 masks made" in capsys.readouterr().out


def test_faults_of_a_users_folder_are_reported_all_at_once(run, folder):
    Image.fromarray(np.zeros((240, 320), np.uint8)).save(folder.mask(0))
    Image.fromarray(np.full((240, 320), 255, np.uint8)).save(folder.mask(1))
    Image.new("RGB", (8, 8)).save(folder.root / "support" / "alone.jpg")
    Image.new("RGB", (8, 8)).save(folder.root / "support" / "small.jpg")
    Image.fromarray(np.ones((9, 8), np.uint8)).save(folder.root / "support" / "masks" / "small.png")
    with pytest.raises(DatasetError) as caught:
        few_shot.main(folder.argv(run.weights["canet"]))
    findings = [str(finding) for finding in caught.value.findings]
    assert len(findings) == 4
    assert only(findings, f"{folder.mask(0)}: ", "pixel of the object")
    assert only(findings, f"{folder.mask(1)}: ", "pixel of background")
    assert only(findings, "masks/alone.png: ", "mask of alone.jpg", "NAME.jpg")
    assert only(findings, "masks/small.png: ", "8x9 ... 8x8")
    assert not (folder.root / "out").exists()


def test_no_support_no_query_and_no_writing_over_photographs(run, folder):
    with raises(ValueError, f"--out {folder.root / 'query'}", "photographs"):
        few_shot.main([*folder.argv(run.weights["canet"]), "--out", str(folder.root / "query")])
    with raises(ValueError, f"{folder.root / 'query'}: ", "photograph", "at least one"):
        (folder.root / "query" / "q.jpg").unlink()
        few_shot.main(folder.argv(run.weights["canet"]))
    Image.new("RGB", (8, 8)).save(folder.root / "query" / "q.jpg")
    shutil.rmtree(folder.root / "support")
    with raises(DatasetError, f"{folder.root / 'support'}: ", "folder", "at least one"):
        few_shot.main(folder.argv(run.weights["canet"]))


def test_weights_of_another_network_are_refused(folder, tmp_path):
    network = torch.nn.Linear(1, 1)
    training.save_weights(tmp_path / "w.safetensors", network, {"stage": "s7_segment"})
    with raises(artifacts.ContractError, "w.safetensors", "weights of s7_segment ... scl_train"):
        few_shot.main(folder.argv(tmp_path / "w.safetensors"))


def test_pairs_are_the_folder_and_other_supports_make_masks_again(run, folder, capsys):
    weights, root = run.weights["canet"], folder.root
    few_shot.main(folder.argv(weights))
    label = read_labels(root / "out/masks/q.png")
    pairs = [
        word
        for name in sorted(folder.names)
        for word in ("--support", root / f"support/{name}.png", root / f"support/masks/{name}.png")
    ]
    more = ("--photos", root / "query", "--weights", weights, "--out")
    capsys.readouterr()
    few_shot.main([str(word) for word in (*pairs, *more, root / "out")])
    assert "1 were there" in capsys.readouterr().out
    few_shot.main([str(word) for word in (*pairs, *more, root / "pairs")])
    assert (read_labels(root / "pairs/masks/q.png") == label).all()
    few_shot.main([str(word) for word in (*pairs[:3], *more, root / "out")])
    assert "1 masks made" in capsys.readouterr().out.splitlines()[-1]
    with raises(ValueError, "--support", "1 files", "PHOTO MASK"):
        few_shot.main([str(word) for word in (*pairs[:2], *more, root / "out")])
