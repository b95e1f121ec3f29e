"""Weights of a backbone in a file: what is refused, and what the message names."""

import pytest
import torch
from safetensors.torch import save_file

from tests.messages import raises
from wsss_stages.nets import backbones
from wsss_stages.store.packages import WeightsError
from wsss_stages.training import pretrained


@pytest.fixture(scope="module")
def resnet38():
    """ResNet-38 without memory."""
    with torch.device("meta"):
        return backbones.build("resnet38", 8, True)


def test_resnet38_in_the_layout_of_its_first_publication_is_refused_with_the_names_that_are_wanted(resnet38, tmp_path):
    mxnet = {f"arg:res{unit}_branch2a_weight": torch.zeros(2) for unit in ("2a", "2b1", "3a")}
    save_file(mxnet, tmp_path / "r38.safetensors")
    with raises(
        WeightsError,
        "r38.safetensors",
        "arg:res2a_branch2a_weight",
        "another layout",
        "conv1a.weight, b2.bn_branch2a.weight",
    ):
        pretrained.load(resnet38, str(tmp_path / "r38.safetensors"))


def test_resnet38_of_other_shapes_is_refused_by_the_first(resnet38, tmp_path):
    save_file({"module.conv1a.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "r38.safetensors")
    with raises(WeightsError, "conv1a.weight is (64, 3, 7, 7)", "(64, 3, 3, 3)", "another backbone"):
        pretrained.load(resnet38, str(tmp_path / "r38.safetensors"))
