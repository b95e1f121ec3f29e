"""Operations and sizes of networks, counted without weights, memory or data."""

from functools import cache
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from wsss_stages.dfr.net import DfrNet
from wsss_stages.nets import backbones
from wsss_stages.nets.heads import HEADS

STEP = 3
"""Operations of a training step over those of a forward pass: forward, and backward for the input and for the weights."""


class Maps(nn.Module):
    """A backbone alone, whose head is not counted."""

    def __init__(self, backbone: backbones.Backbone):
        super().__init__()
        self.backbone = backbone

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        return self.backbone(image)


@cache
def counted(kind: str, height: int, width: int, backbone: str, stride: int, *head: Any) -> tuple[float, float]:
    """Return the operations of a forward pass on an image, two for a multiplication and addition, and the bytes of the weights.

    Args:
        kind: segmenter, with classes, name and width of the head; dfr, with classes, channels and features; pyramid or backbone, alone.
    """
    with torch.device("meta"):
        network = _built(kind, backbone, stride, *head).eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(torch.zeros(1, 3, height, width))
    return float(counter.get_total_flops()), 4.0 * sum(p.numel() for p in network.parameters())


def _built(kind: str, backbone: str, stride: int, *head: Any) -> nn.Module:
    """Return a network without memory."""
    if kind == "segmenter":
        classes, name, width = head
        made: Any = HEADS[name]
        return made(made.body(backbone, stride, True), classes, width)
    if kind == "dfr":
        return DfrNet(backbones.pyramid(backbone, True), *head)
    return Maps(backbones.pyramid(backbone, True) if kind == "pyramid" else backbones.build(backbone, stride, True))
