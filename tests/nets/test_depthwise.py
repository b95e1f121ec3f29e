"""The fast gradients of dilated depthwise filters against PyTorch's own."""

import pytest
import torch
from torch import nn

from wsss_stages.nets import backbones
from wsss_stages.nets.depthwise import DilatedDepthwise


@pytest.mark.parametrize(
    ("kernel", "padding", "dilation", "bias"), [(3, 2, 2, True), (3, 4, 4, False), (5, 3, 2, True)]
)
def test_values_and_gradients_are_those_of_conv2d(kernel, padding, dilation, bias):
    results = []
    for layer in (nn.Conv2d, DilatedDepthwise):
        torch.manual_seed(0)
        conv = layer(6, 6, kernel, padding=padding, dilation=dilation, groups=6, bias=bias).double()
        x = torch.randn(2, 6, 11, 13, dtype=torch.double, requires_grad=True)
        out = conv(x)
        (out * torch.randn_like(out)).sum().backward()
        results.append([out, x.grad, *(p.grad for p in conv.parameters())])
    for plain, fast in zip(*results, strict=True):
        assert torch.allclose(plain, fast, atol=1e-12)


def test_gradcheck():
    conv = DilatedDepthwise(2, 2, 3, padding=2, dilation=2, groups=2).double()
    x = torch.randn(1, 2, 6, 5, dtype=torch.double, requires_grad=True)
    parameters = list(conv.parameters())
    assert torch.autograd.gradcheck(lambda x, *_: conv(x), (x, *parameters))


def test_a_dilated_mobilenet_has_them():
    network = backbones.build("mobilenet_v2", 8, pretrained=False)
    fast = [m.dilation[0] for m in network.modules() if isinstance(m, DilatedDepthwise)]
    assert fast == [2] * 7 + [4] * 3
