"""A convolution that applies its frozen batch norm, against the two one after the other."""

import pytest
import torch
from torch import nn

from tests.messages import raises
from wsss_stages.nets import backbones
from wsss_stages.nets.depthwise import DilatedDepthwise
from wsss_stages.nets.frozen_norm import fold_norms


def pair(conv):
    """A convolution of 6 channels and a batch norm in eval mode that changes much; its third channel is switched off."""
    torch.manual_seed(0)
    network = nn.Sequential(conv(6, 6, 3, padding=2, dilation=2, groups=6, bias=False), nn.BatchNorm2d(6)).double()
    norm = network[1]
    for tensor in (norm.weight.data, norm.bias.data, norm.running_mean):
        tensor.normal_()
    norm.weight.data[2] = 0
    norm.running_var.uniform_(0.5, 2)
    return network.eval()


@pytest.mark.parametrize("conv", [nn.Conv2d, DilatedDepthwise])
def test_values_and_gradients_are_those_of_both(conv):
    results = []
    for fold in (False, True):
        network = pair(conv)
        if fold:
            fold_norms(network)
        x = torch.linspace(-1, 1, 2 * 6 * 5 * 7, dtype=torch.double).view(2, 6, 5, 7).sin().requires_grad_()
        out = network(x)
        (out * torch.arange(out.numel()).view_as(out).cos()).sum().backward()
        results.append([out, x.grad, *(p.grad for p in network.parameters())])
    assert all(grad is not None for grad in results[1])
    for apart, together in zip(*results, strict=True):
        torch.testing.assert_close(together, apart, rtol=0, atol=1e-12)


def test_names_and_numbers_of_parameters_stay():
    network = pair(nn.Conv2d)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    fold_norms(network)
    after = network.state_dict()
    assert list(after) == list(before) and all(torch.equal(after[name], before[name]) for name in before)


def test_a_convolution_with_a_hook_is_refused():
    network = pair(nn.Conv2d)
    network[0].register_forward_pre_hook(lambda *_: None)
    with raises(ValueError, "hooks"):
        fold_norms(network)


def test_only_a_convolution_right_before_a_norm_is_changed():
    network = nn.Sequential(nn.BatchNorm2d(2), nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2), nn.Conv2d(2, 2, 1, bias=False))
    fold_norms(network)
    assert [type(m) for m in network] == [nn.BatchNorm2d, nn.Conv2d, nn.BatchNorm2d, nn.Conv2d]


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet18", "resnet50", "tiny"])
def test_a_training_backbone_keeps_one_activation_per_convolution(name):
    backbone = backbones.build(name, 16, pretrained=True).train()
    inputs, kept = [], []  # the tensors themselves, so that no address is used twice

    def keep(tensor):
        if tensor.ndim == 4 and len(tensor) == 2 and tensor.dtype == torch.float32:
            kept.append(tensor)
        return tensor

    for module in backbone.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_pre_hook(lambda _module, given: inputs.append(given[0]))
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        maps = backbone(torch.randn(2, 3, 64, 64))
    stem = [m for m in backbone.modules() if isinstance(m, nn.MaxPool2d)]  # a pool needs the output of the stem
    needed = {t.data_ptr() for t in (*inputs, *maps)}
    assert len({t.data_ptr() for t in kept} - needed) <= len(stem)
