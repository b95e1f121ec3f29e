"""Modules of a network replaced by others of the same parameters under the same names."""

from collections.abc import Callable
from typing import Any, TypeVar

from torch import nn

C = TypeVar("C", bound=nn.Conv2d)


def replace(network: nn.Module, wanted: Callable[[nn.Module], bool], made: Callable[[Any], nn.Module]) -> None:
    """Replace every wanted module of a network by the result of `made`; one that stands twice is made once."""
    found: dict[nn.Module, nn.Module] = {}
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if wanted(child):
                if child not in found:
                    found[child] = made(child).train(child.training)
                setattr(parent, name, found[child])


def convolution_as(cls: type[C], conv: nn.Conv2d) -> C:
    """Return a convolution of another class that is strided, dilated and padded as one and has its very parameters; it draws none.

    Raises ValueError for a convolution with hooks, which the other would lack.
    """
    if conv._forward_pre_hooks or conv._forward_hooks:
        raise ValueError(f"{conv}: found hooks; wanted a convolution without. Replace it before they are registered.")
    shape: Any = (
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,
        conv.stride,
        conv.padding,
        conv.dilation,
        conv.groups,
    )
    other = cls(*shape, bias=conv.bias is not None, padding_mode=conv.padding_mode, device="meta")
    other.weight, other.bias = conv.weight, conv.bias
    return other
