"""The object network."""

from copy import deepcopy

import pytest
import torch

from wsss_stages.nets import backbones
from wsss_stages.nets.object_net import ObjectNet, WithBox
from wsss_stages.training.layers import new_parameters


@pytest.fixture
def network():
    torch.manual_seed(0)
    return ObjectNet(backbones.pyramid("tiny", pretrained=True), 16)


def test_it_begins_as_the_backbone_was_pretrained(network):
    image = torch.rand(2, 3, 64, 64)
    alone = backbones.pyramid("tiny", pretrained=True)
    assert list(alone.state_dict()) == list(network.backbone.state_dict())
    alone.load_state_dict(network.backbone.state_dict())
    assert torch.equal(network(image, torch.ones(2, 64, 64)), torch.full((2, 16, 16), network.out.bias.item()))
    for with_box, without in zip(network.backbone(image, torch.ones(2, 1, 64, 64)), alone(image), strict=True):
        assert torch.equal(with_box, without)


def test_it_sees_the_box_once_trained(network):
    torch.nn.init.normal_(network.box.weight)
    torch.nn.init.normal_(network.out.weight)
    image, inside = torch.rand(1, 3, 64, 64), torch.zeros(1, 64, 64)
    assert not torch.equal(network(image, inside), network(image, 1 - inside))


def trained(network):
    """The network with weights that see the box."""
    for part in (network.box, network.out):
        torch.nn.init.normal_(part.weight)
    return network.eval()


@torch.no_grad()
def test_a_call_within_another_keeps_the_boxes_apart(network):
    trained(network)
    image, box = torch.rand(1, 3, 64, 64), torch.zeros(1, 64, 64)
    box[:, 10:40, 20:50] = 1
    alone, inner = network(image, box), []

    def within(*_):
        handle.remove()
        inner.append(network(image, 1 - box))

    first = next(module for module in network.modules() if isinstance(module, WithBox))
    handle = first.register_forward_pre_hook(within)
    assert torch.equal(network(image, box), alone) and torch.equal(inner[0], network(image, 1 - box))
    assert not torch.equal(inner[0], alone)


def test_a_copy_has_its_own_filters(network):
    trained(network)
    image, inside = torch.rand(1, 3, 64, 64), torch.ones(1, 64, 64)
    copy, before = deepcopy(network), network(image, inside)
    with torch.no_grad():
        for parameter in network.backbone.parameters():
            parameter.add_(1)
    assert torch.equal(copy(image, inside), before) and not torch.equal(network(image, inside), before)


def test_new_parameters_are_all_but_the_backbones(network):
    new = {id(p) for p in new_parameters(network)}
    old = {id(p) for p in network.backbone.parameters()}
    assert not new & old and new | old == {id(p) for p in network.parameters()}
