"""Exported models give the network's labels at every size, and say what they are; what cannot be exported is refused by name."""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import jaxtyping
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image
from torch import nn

from tests.messages import raises
from tests.tiny_segmenters import NAMES, picture, save
from wsss_stages import training
from wsss_stages.commands import export as command
from wsss_stages.config.options import PredictPhotos
from wsss_stages.data.images import read_labels
from wsss_stages.nets.traceable import CellMeans
from wsss_stages.roads import model_export
from wsss_stages.roads.photo_labels import PhotoLabeller
from wsss_stages.roads.predictions import Predictor
from wsss_stages.store.artifacts import ContractError
from wsss_stages.training.networks import restore_segmenter

SIZES = ((97, 131), (64, 64), (33, 100), (201, 150))
SCRIPT = Path(__file__).parents[2] / "docs" / "run_onnx.py"


@pytest.fixture(autouse=True)
def _traced_numbers_are_no_ints():
    """Let tracers pass: to them sizes are tensors, which checks of shapes do not take."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def run(model, weights, out, *more):
    command.main([str(word) for word in ("--model", model, "--weights", weights, "--out", out, *more)])


def predicted(weights, photo):
    opt = PredictPhotos(scales=[1.0], flip=False)
    network, metadata = restore_segmenter(weights)
    return PhotoLabeller(Predictor(network, opt, "cpu", "predict", metadata["stage"]), opt, True)(photo, "photo")


@pytest.mark.parametrize(
    ("kind", "backbone"),
    [
        *((kind, "tiny") for kind in ("deeplab_v3plus", "deeplab_v3", "deeplab_v2", "pspnet", "dfr", "rrm")),
        ("deeplab_v3plus", "mobilenet_v2"),
    ],
)
def test_a_model_gives_the_labels_of_predict_at_every_size(kind, backbone, tmp_path):
    weights = save(tmp_path / "weights.safetensors", kind, backbone)
    run("onnx", weights, tmp_path / "model.onnx", "--probabilities")
    run("torchscript", weights, tmp_path / "model.pt", "--probabilities")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = torch.jit.load(str(tmp_path / "model.pt"))
    seen = np.zeros(len(NAMES), int)
    for size in SIZES:
        photo = picture(*size)
        wanted = predicted(weights, photo)
        seen += np.bincount(wanted.label.ravel(), minlength=len(NAMES))
        for labels, P in (session.run(None, {"image": photo}), script(torch.from_numpy(photo))):
            labels, P = np.asarray(labels), np.asarray(P)
            assert labels.dtype == np.uint8 and P.shape == (len(NAMES), *size)
            assert (labels == wanted.label).mean() >= 0.999
            assert np.abs(P - wanted.P).max() < 0.002  # half precision
    assert (seen > 0.01 * seen.sum()).sum() > 1


def test_a_model_says_its_classes_and_colours(tmp_path):
    weights = save(tmp_path / "weights.safetensors", class_names=["background", "Katze", "犬"])
    run("onnx", weights, tmp_path / "model.onnx", "--max-side", 512)
    run("torchscript", weights, tmp_path / "model.pt")
    made = onnx.load(tmp_path / "model.onnx")
    extra = {model_export.EXTRA: ""}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.load(str(tmp_path / "model.pt"), _extra_files=extra)
    for about in ({entry.key: entry.value for entry in made.metadata_props}, json.loads(extra[model_export.EXTRA])):
        assert json.loads(about["classes"]) == ["background", "Katze", "犬"]
        assert json.loads(about["colours"]) == ["#000000", "#800000", "#008000"]
    assert made.opset_import[0].version == model_export.OPSET and [o.name for o in made.graph.output] == ["labels"]
    assert {entry.key: entry.value for entry in made.metadata_props}["max_side"] == "512"


def test_the_script_of_the_documentation_runs_a_model_without_torch(tmp_path):
    weights = save(tmp_path / "weights.safetensors")
    run("onnx", weights, tmp_path / "model.onnx")
    Image.fromarray(picture(60, 90)).save(tmp_path / "photo.png")
    argv = [str(SCRIPT), str(tmp_path / "model.onnx"), str(tmp_path / "photo.png"), str(tmp_path / "mask.png")]
    code = f"import sys, runpy; sys.modules.update(torch=None, wsss_stages=None); sys.argv = {argv}; runpy.run_path(sys.argv[0])"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert [line.partition(":")[0] for line in printed.splitlines()] == NAMES
    assert (read_labels(tmp_path / "mask.png") == predicted(weights, picture(60, 90)).label).mean() >= 0.999
    source = SCRIPT.read_text()
    assert len([line for line in source.split('"""')[2].splitlines() if line]) <= 25


@pytest.mark.parametrize("side", [1, 2, 3, 6])
@pytest.mark.parametrize("size", [(4, 7), (6, 6), (13, 9)])
def test_cell_means_are_adaptive_pooling(side, size):
    m = torch.rand(2, 5, *size)
    torch.testing.assert_close(CellMeans(side)(m), nn.AdaptiveAvgPool2d(side)(m))


def test_what_cannot_be_exported_is_refused_by_name_and_nothing_is_written(tmp_path, monkeypatch):
    tree, other = save(tmp_path / "tree.safetensors", "tree_fcn"), tmp_path / "other.safetensors"
    training.save_weights(other, nn.Linear(1, 1), {"stage": "s4_affinity"})
    out = tmp_path / "model.onnx"
    with raises(ValueError, str(tree), "tree_fcn", "onnx"):
        run("onnx", tree, out)
    with raises(ContractError, str(other), "s4_affinity ... s7_segment"):
        run("onnx", other, out)
    with raises(ContractError, "cat, dog", "cow"):
        run("onnx", save(tmp_path / "w.safetensors"), out, "--classes", "cat,cow")
    monkeypatch.setattr(model_export, "agreement", lambda network, run: 0.99)
    with raises(ValueError, "w.safetensors", "99.0000%", "99.9%"):
        run("onnx", tmp_path / "w.safetensors", out)
    assert not list(tmp_path.glob("model.onnx*"))


def test_a_model_of_other_labels_does_not_agree(tmp_path):
    network, _ = restore_segmenter(save(tmp_path / "w.safetensors"))
    assert model_export.agreement(network, lambda photo: np.zeros(photo.shape[:2], np.uint8)) < 0.999
