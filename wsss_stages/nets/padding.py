"""TensorFlow's padding of strided convolutions: one pixel more at the right and the bottom than at the left and the top."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_stages.nets.replace import convolution_as, replace

TWINS = {"mobilenet_v2": "tf_mobilenet_v2", "tf_mobilenet_v2": "mobilenet_v2"}
"""A backbone with PyTorch's padding and one with TensorFlow's, whose weights have the same names."""
LEAN = 0.05
"""Least lean of padding, in pixels: MobileNetV2 and EfficientNet-Lite of TensorFlow have -0.16 to -0.23,
torchvision's ResNet-18 0.16.
"""


class PaddedConv(nn.Conv2d):
    """A strided convolution that pads as TensorFlow's SAME does on even sides."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        before = _before(self)
        after = self.kernel_size[0] - self.stride[0] - before
        return super()._conv_forward(F.pad(input, (before, after, before, after)), weight, bias)


def pad_as_tensorflow(network: nn.Module) -> None:
    """Let every strided convolution with a larger kernel within a network pad as TensorFlow's SAME does on even sides."""
    replace(network, _is_strided, padded)


def padded(conv: nn.Conv2d) -> nn.Conv2d:
    """Return a strided convolution with the very parameters of another that pads so; one of 1x1 does not pad."""
    made = convolution_as(nn.Conv2d if conv.kernel_size == (1, 1) else PaddedConv, conv)
    made.padding = (0, 0)
    return made


def like(conv: nn.Conv2d, channels: int) -> nn.Conv2d:
    """Return a new convolution of other input channels that is strided and padded as `conv`, without bias."""
    cls = PaddedConv if isinstance(conv, PaddedConv) else nn.Conv2d
    shape: Any = (conv.kernel_size, conv.stride, conv.padding)
    return cls(channels, conv.out_channels, *shape, bias=False)


def first_pixel(module: nn.Module) -> float:
    """Return the place of the first output of a strided convolution or pooling in pixels of its input."""
    padded = _before(module) if isinstance(module, PaddedConv) else _first(module.padding)
    return (_first(module.kernel_size) - 1) / 2 - padded


def lean(network: nn.Module) -> float:
    """Return how far the strided filters' centroids, of squared weights, lie right of and below their middles, in pixels.

    The middle of a filter that is padded on one side only lies half a pixel beside its output, and training draws it back: to the left
    and up under TensorFlow's padding, to the right and down under PyTorch's.
    """
    found = [
        (weight.sum(dim=axis) * torch.linspace(-1, 1, len(weight)) * (len(weight) - 1) / 2).sum() / weight.sum()
        for conv in network.modules()
        if isinstance(conv, nn.Conv2d) and conv.stride != (1, 1) and conv.kernel_size != (1, 1)
        for weight in [conv.weight.detach().float().square().sum(dim=(0, 1))]
        for axis in (0, 1)
    ]
    return float(torch.stack(found).mean()) if found else 0.0


def _is_strided(conv: nn.Module) -> bool:
    return isinstance(conv, nn.Conv2d) and conv.stride != (1, 1) and conv.kernel_size != (1, 1)


def _before(conv: nn.Conv2d) -> int:
    return (conv.kernel_size[0] - conv.stride[0]) // 2


def _first(size) -> int:
    return size[0] if isinstance(size, tuple) else size
