"""ReLU6 in place against PyTorch's, with numbers on both of its corners."""

import torch
from torch import nn

from wsss_stages.nets.relu6 import ReLU6


def test_values_and_gradients_are_those_of_relu6():
    numbers = torch.tensor([-1.0, -0.0, 0.0, 1e-6, 3.0, 5.999, 6.0, 7.0])
    results = []
    for layer in (nn.ReLU6(), ReLU6()):
        x = numbers.clone().requires_grad_()
        out = layer(x * 1)
        (out * torch.arange(1.0, 9.0)).sum().backward()
        results.append((out, x.grad))
    for plain, ours in zip(*results, strict=True):
        assert torch.equal(plain, ours)


def test_it_overwrites_its_input_and_keeps_nothing_else():
    kept = []
    x = torch.randn(5, requires_grad=True) * 10
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        out = ReLU6()(x)
    assert out.data_ptr() == x.data_ptr()
    assert {t.data_ptr() for t in kept} == {out.data_ptr()}
