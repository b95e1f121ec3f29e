"""Maps of a backbone belong to their forward: within another, beside another, of a copy."""

import copy
import threading

import pytest
import torch
from torch import nn

from wsss_stages.nets import backbones
from wsss_stages.nets.inputs import renormalise

MAKE = {
    "tiny": lambda: backbones.build("tiny", 16, False),
    "resnet18": lambda: backbones.build("resnet18", 16, True),
    "mobilenet_v2": lambda: backbones.build("mobilenet_v2", 16, True),
    "pyramid of mobilenet_v2": lambda: backbones.pyramid("mobilenet_v2", True),
    "tf_efficientnet_lite0": lambda: backbones.build("tf_efficientnet_lite0", 16, True),
    "convnext_atto": lambda: backbones.build("convnext_atto", 16, True),
    "tiny_vit": lambda: backbones.build("tiny_vit", 8, True),
    "pyramid of tiny_vit": lambda: backbones.pyramid("tiny_vit", True),
    "pyramid of swin": lambda: backbones.pyramid("swin_tiny_patch4_window7_224", True),
}


@pytest.fixture(params=MAKE)
def backbone(request):
    torch.manual_seed(0)
    return MAKE[request.param]().eval().requires_grad_(False)


def last_layer(backbone):
    """Return a layer that runs once in a forward, after some maps have been made."""
    return [module for module in backbone.modules() if isinstance(module, nn.Conv2d | nn.Linear)][-1]


def wait(barrier):
    barrier.wait()


def assert_same(found, wanted):
    assert len(found) == len(wanted)
    for m, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(m, other)


def test_a_forward_inside_a_forward_and_beside_one_has_its_own_maps(backbone):
    images = torch.randn(1, 3, 64, 64), torch.randn(1, 3, 96, 64)
    alone, other = map(backbone, images)
    inner, both = [], threading.Barrier(2, timeout=60)

    def again(_module, inputs):
        if not inner:
            inner.append(None)
            inner[:] = backbone(images[1])

    hook = last_layer(backbone).register_forward_pre_hook(again)
    assert_same(backbone(images[0]), alone)
    assert_same(inner, other)
    hook.remove()
    last_layer(backbone).register_forward_pre_hook(lambda *_: wait(both))
    beside = {}
    threads = [
        threading.Thread(target=lambda n=n: beside.update({n: backbone(images[n])}), daemon=True) for n in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_same(beside[0], alone)
    assert_same(beside[1], other)


def test_a_copy_has_weights_of_its_own(backbone):
    image = torch.randn(1, 3, 64, 64)
    before = backbone(image)
    copied = copy.deepcopy(backbone)
    assert_same(copied(image), before)
    for parameter in copied.parameters():
        parameter.zero_()
    assert_same(backbone(image), before)
    assert not torch.equal(copied(image)[-1], before[-1])


@pytest.mark.parametrize("name", ["efficientnet_b0", "mixnet_s", "efficientnet_cc_b0_4e"])
def test_maps_of_an_efficientnet_are_what_its_own_forward_passes(name):
    torch.manual_seed(0)
    backbone = backbones.build(name, 16, True).eval().requires_grad_(False)
    net, seen = backbone.network, []
    image = torch.randn(1, 3, 64, 64)
    found = backbone(image)
    for stage in net.feature_info[-2:]:
        net.get_submodule(stage["module"])[-1].bn1.register_forward_hook(lambda *hooked: seen.append(hooked[2].clone()))
    net.bn2.register_forward_hook(lambda *hooked: seen.append(hooked[2]))
    net.forward_features(renormalise(image, backbone.mean, backbone.deviation))
    for m, activated in zip(found, seen, strict=True):
        torch.testing.assert_close(m, activated.clamp(min=0), atol=1e-4, rtol=1e-3)
