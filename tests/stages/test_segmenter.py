"""The segmenter learns from labels of several makers with every head; weights and labels that do not fit are reported."""

import pytest
import torch

from tests.messages import raises
from wsss_stages import training
from wsss_stages.config.options import Segment
from wsss_stages.data.index import Index
from wsss_stages.nets import backbones
from wsss_stages.roads.segmenter import SegmenterTraining
from wsss_stages.shards.manifest import Manifest
from wsss_stages.stages import s7_segment, s8_predict
from wsss_stages.store import artifacts, contracts
from wsss_stages.training import gradients, networks


def test_the_segmenter_can_learn_from_truth(toy, tmp_path):
    argv = toy.argv("s7_segment")
    argv[argv.index("--weights") + 1] = str(tmp_path / "weights.safetensors")
    s7_segment.main([*argv, "--labels", "truth"])
    assert training.read_provenance(tmp_path / "weights.safetensors")["options"]["labels"] == "truth"
    assert (tmp_path / "weights.safetensors").read_bytes() != toy.segmenter.read_bytes()


def test_the_segmenter_can_learn_from_grabcut(toy, tmp_path):
    argv = toy.argv("s7_segment")
    argv[argv.index("--weights") + 1] = str(tmp_path / "weights.safetensors")
    argv[argv.index("--pseudo") + 1] = str(toy.manifest("s3_seeds"))
    s7_segment.main([*argv, "--labels", "grabcut"])
    assert (tmp_path / "weights.safetensors").read_bytes() != toy.segmenter.read_bytes()
    with raises(training.TrainingError, "8 of 8", "no pseudo", "--pseudo", "manifests of s6_propagate"):
        s7_segment.main(argv)


@pytest.mark.parametrize("head", networks.HEADS)
def test_every_head_learns_and_predicts(toy, tmp_path, head):
    own = type(toy)(tmp_path)
    own.index, own.segmenter = toy.index, tmp_path / "weights.safetensors"
    argv = own.argv("s7_segment")
    argv[argv.index("--pseudo") + 1] = str(toy.manifest("s6_propagate"))
    s7_segment.main([*argv, "--head", head])
    network, known = networks.restore_segmenter(own.segmenter)
    assert type(network) is networks.HEADS[head] and known["options"]["head"] == head
    graded = {"cross_entropy", "auxiliary"} if head == "pspnet" else {"cross_entropy"}
    steps = toy.read(tmp_path / "curve.json")["steps"]
    assert len(steps) == 2 and all(set(step) == {"step", "lr", *graded} for step in steps)
    s8_predict.main(own.argv("s8_predict"))
    records = Index.read(toy.index).split("val")
    manifest = Manifest([own.manifest("s8_predict", "val")])
    for record in records:
        label = manifest.read(record.id, contracts.PREDICTION)["label"]
        assert label.shape == (record.height, record.width) and label.max() <= 4


def test_deeplab_v2_may_have_its_own_losses_and_rates(toy, tmp_path):
    own = type(toy)(tmp_path)
    own.index, own.segmenter = toy.index, tmp_path / "weights.safetensors"
    argv = own.argv("s7_segment")
    argv[argv.index("--pseudo") + 1] = str(toy.manifest("s6_propagate"))
    s7_segment.main([*argv, "--head", "deeplab_v2", "--loss-scales", "[0.75, 0.5]", "--bias-lr-factor", "2"])
    steps = toy.read(tmp_path / "curve.json")["steps"]
    assert set(steps[0]) == {"step", "lr", "cross_entropy", "scale_0.75", "scale_0.5", "scale_max"}


def test_biases_of_new_layers_learn_by_their_own_factor():
    network = networks.HEADS["deeplab_v2"](backbones.build("tiny", 8, False), 4, 16)
    work = SegmenterTraining.__new__(SegmenterTraining)
    work.network, work.opt = network, Segment(bias_lr_factor=2, head_lr_factor=10)
    old, weights, biases = work.groups()
    assert [weights.factor, biases.factor] == [10, 20] and len(weights.parameters) == len(biases.parameters) == 4
    assert all(p.ndim == 1 for p in biases.parameters) and not any(p.ndim == 1 for p in weights.parameters)
    work.opt = Segment()
    assert len(work.groups()) == 2 and len(work.groups()[1].parameters) == 8 and old.factor == 1


@pytest.mark.parametrize("head", networks.HEADS)
def test_a_batch_goes_one_by_one_where_memory_is_short(toy, tmp_path, monkeypatch, head):
    """A GPU in which one image alone fits, played on a CPU."""
    moved = gradients.to_device

    def scarce(value, device):
        if isinstance(value, torch.Tensor) and value.ndim == 4 and len(value) > 1:
            raise torch.OutOfMemoryError("played")
        return moved(value, device)

    monkeypatch.setattr(gradients, "to_device", scarce)
    argv = toy.argv("s7_segment")
    argv[argv.index("--weights") + 1] = str(tmp_path / "weights.safetensors")
    s7_segment.main([*argv, "--head", head])
    curve = toy.read(tmp_path / "curve.json")
    assert [short["parts"] for short in curve["short_of_memory"]] == [2, 4] and len(curve["steps"]) == 2


def test_weights_of_another_head_or_stage_are_refused(toy, tmp_path):
    path = tmp_path / "weights.safetensors"
    network, known = networks.restore_segmenter(toy.segmenter)
    training.save_weights(path, network, known | {"options": known["options"] | {"head": "pspnet"}})
    with raises(artifacts.ContractError, str(path), "PspNet", "missing", "pools.0.1.weight"):
        networks.restore_segmenter(path)
    older = {name: value for name, value in known["options"].items() if name != "head"}
    training.save_weights(path, network, known | {"options": older})
    for weights, stage in ((path, "s7_segment"), (toy.classifier, "s1_classifier")):
        argv = toy.argv("s8_predict", tmp_path)
        argv[argv.index("--weights") + 1] = str(weights)
        with raises(artifacts.ContractError, str(weights), f"weights of {stage}", "head None", "Run s7_segment"):
            s8_predict.main(argv)


def test_the_segmenter_by_itself_wants_backbone_and_weights(toy):
    argv = toy.argv("s7_segment")
    at = argv.index("--backbone")
    with raises(ValueError, "--backbone ''", "--backbone-weights 'none'", "name of a backbone"):
        s7_segment.main([*argv[:at], *argv[at + 2 :]])


def test_the_segmenter_misses_pseudo_labels_by_name(toy, tmp_path):
    argv = toy.argv("s7_segment")
    content = toy.read(toy.manifest("s6_propagate"))
    gone = sorted(content["items"])[0]
    del content["items"][gone]
    artifacts.write_sealed(tmp_path / "1-of-1.json", content)
    argv[argv.index("--pseudo") + 1] = str(tmp_path / "1-of-1.json")
    with raises(training.TrainingError, "1 of 8", "no pseudo", gone):
        s7_segment.main(argv)
