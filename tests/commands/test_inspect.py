"""Records of how files were made, beside them, and the way back to the photograph."""

import json
import sys

import cv2
import numpy as np
import pytest
import torch

from tests.messages import lacking, raises
from wsss_stages import training
from wsss_stages.commands import inspect
from wsss_stages.config import options
from wsss_stages.data.index import Index, Record
from wsss_stages.shards import lineage
from wsss_stages.shards.shard import Shard
from wsss_stages.stages import cli
from wsss_stages.store import artifacts, contracts, provenance


@pytest.fixture
def chain(tmp_path, monkeypatch):
    """photograph -> index -> weights -> CAM -> label, each by a recorded run; paths are relative, as in a log."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dataset").mkdir()
    cv2.imwrite("dataset/a.png", np.full((4, 6, 3), 9, np.uint8))
    sha = artifacts.sha256(tmp_path / "dataset" / "a.png")
    record = Record("a", "a.png", sha, 4, 6, 4, 6, tags=[1], kinds=["tag"])
    index = Index("made", tmp_path / "dataset", ["background", "cat"], {"train": ["a"]}, {"a": record})

    def run(stage, section, argv, paths, make, **facts):
        monkeypatch.setattr(sys, "argv", [f"/somewhere/{stage}.py", *argv])

        def main():
            found, _ = cli.parse("doc", section, sys.argv[1:], paths)
            provenance.tell(**facts)
            make(found)

        cli.run(main)

    def shard_of(stage, contract, arrays, reads, weights=""):
        def make(found):
            shard = Shard(
                stage, (contract,), Index.read(found.index), "train", found.manifest, {"gamma": 4}, reads, weights
            )
            for item in shard.todo():
                item.write({contract.name: arrays}, {"substituted": 1})
            shard.finish()

        return make

    cam = {"cam": np.zeros((1, 2, 3), np.float16), "classes": np.uint8([1])}
    weights = {"stage": "s1_classifier", "options": {"epochs": 2}}
    run(
        "data",
        options.Data,
        ["--root", "dataset", "--index", "results/index.json"],
        {"root": "", "index>": ""},
        lambda p: index.write(p.index),
    )
    run("s1_classifier", options.Classifier, ["--index", "results/index.json", "--weights", "results/s1/weights.safetensors"], {"index": "", "weights>": ""},
        lambda p: training.save_weights(p.weights, torch.nn.Linear(2, 1), weights), device="a device")  # fmt: skip
    run("s2_cam", options.Cam, ["--index", "results/index.json", "--weights", "results/s1/weights.safetensors", "--manifest", "results/s2/1-of-1.json"],
        {"index": "", "weights": "", "manifest>": ""}, shard_of("s2_cam", contracts.CAM, cam, []))  # fmt: skip
    run("s3_seeds", options.Seeds, ["--index", "results/index.json", "--cam", "results/s2/1-of-1.json", "--manifest", "results/s3/1-of-1.json", "--superpixels", "7"],
        {"index": "", "cam": "", "manifest>": ""},
        shard_of("s3_seeds", contracts.SEEDS, np.zeros((4, 6), np.uint8), [(contracts.CAM, tmp_path / "results/s2/1-of-1.json")]))  # fmt: skip
    return tmp_path


def flat(node):
    return [node, *(inner for source in node.sources for inner in flat(source))]


def test_the_record_of_a_run_tells_all_that_made_the_file(chain):
    (run,) = provenance.runs(chain / "results" / "s1" / "weights.safetensors")
    assert (run["stage"], run["device"], run["options"]["epochs"]) == (
        "s1_classifier",
        "a device",
        options.Classifier().epochs,
    )
    assert run["command"][:2] == ["--index", "results/index.json"] and run["seconds"] >= 0
    assert run["inputs"] == {"results/index.json": artifacts.sha256(chain / "results" / "index.json")}
    assert run["libraries"]["numpy"] == np.__version__ and run["libraries"]["torch"] == torch.__version__.split("+")[0]
    assert set(run["code"]) == {"version", "sources", "commit"}


def test_the_chain_goes_back_to_the_photograph(chain):
    head = lineage.of_file(chain / "results" / "s3" / "seeds" / "a.png")
    assert (head.state, head.metadata["notes"], head.runs[0]["options"]["superpixels"]) == (
        "intact",
        {"substituted": 1},
        7,
    )
    found = {node.path.name: (node.kind, node.state) for node in flat(head)}
    assert found["a.h5"] == ("cam of a", "intact")
    assert found["weights.safetensors"] == ("weights", "intact")
    assert found["a.png"] == ("photograph", "intact")


@pytest.mark.parametrize(
    "file, harm, state",
    [
        ("dataset/a.png", lambda path: path.write_bytes(b"another"), "changed"),
        ("results/s2/cam/a.h5", lambda path: path.unlink(), "not there"),
        ("results/s1/weights.safetensors", lambda path: training.save_weights(path, torch.nn.Linear(2, 1), {}), "changed"),
    ],
)  # fmt: skip
def test_changes_on_the_way_are_reported(chain, file, harm, state):
    harm(chain / file)
    states = {
        node.path.absolute(): node.state for node in flat(lineage.of_file(chain / "results" / "s3" / "seeds" / "a.png"))
    }
    assert not lacking(states[chain / file], state)


def test_an_id_finds_every_artifact_of_the_image(chain, capsys):
    inspect.main(["a"])
    text = " ".join(capsys.readouterr().out.split())
    for wanted in (
        "results/s2/cam/a.h5: cam v1, intact",
        "results/s3/seeds/a.png: seeds v",
        "photograph, intact",
        "option superpixels 7",
        "numpy",
    ):
        assert wanted in text


def test_a_manifest_is_followed_for_one_image(chain, capsys):
    inspect.main(["results/s3/1-of-1.json", "--image", "a", "--json"])
    (head,) = json.loads(capsys.readouterr().out)
    assert head["kind"] == "manifest" and "photograph" in json.dumps(head)


def test_neither_file_nor_id_is_one_sentence(chain):
    with raises(FileNotFoundError, "nobody: ", "file", "image", "results", "--results FOLDER"):
        inspect.main(["nobody"])


def test_a_run_that_goes_on_keeps_the_runs_before_it_and_a_new_one_does_not(chain):
    cam = chain / "results" / "s2" / "1-of-1.json"
    for options_now, count in (({}, 1), ({}, 2), ({"other": 1}, 1)):
        with provenance.recording(["s2_cam.py"]):
            provenance.writes(cam)
            provenance.tell(options=options_now)
        assert len(provenance.runs(cam)) == count


def test_a_run_that_fails_leaves_no_record(tmp_path):
    (tmp_path / "scores.json").write_text("{}")
    with pytest.raises(ValueError), provenance.recording(["s9_evaluate.py"]):
        provenance.writes(tmp_path / "scores.json")
        raise ValueError
    assert not provenance.record_of(tmp_path / "scores.json").exists()


def test_without_a_record_nothing_is_printed():
    provenance.tell(device="cpu")
    provenance.reads()
    provenance.writes()
