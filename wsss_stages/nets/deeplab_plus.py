"""DeepLab-v3+: maps of several depths, the finer ones beside the context of the last (Chen et al. 2018)."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from wsss_stages.nets import backbones
from wsss_stages.nets.segmenter import Segmenter, block

FINE = 48
"""Width that the finest map is reduced to (Chen et al. 2018)."""


class DeepLabV3Plus(Segmenter):
    """The middle and the last map joined, 3x3 convolutions, upsampled beside the finest map, two 3x3 convolutions, classifier."""

    body = staticmethod(backbones.skips)

    def __init__(self, backbone: backbones.Backbone, classes: int, channels: int):
        """`classes` counts background; `channels` is the width of the head."""
        super().__init__(backbone)
        fine, *deep = backbone.dims
        self.reduce = nn.ModuleList(nn.Sequential(*block(dim, channels, 1)) for dim in deep)
        width = channels * len(deep)
        self.context = nn.Sequential(*block(width, channels, 3), *block(channels, channels, 3))
        self.fine = nn.Sequential(*block(fine, FINE, 1))
        self.refine = nn.Sequential(*block(channels + FINE, channels, 3), *block(channels, channels, 3))
        self.classify = nn.Conv2d(channels, classes, 1)

    def forward(self, image: Float[Tensor, "b 3 H W"]) -> Float[Tensor, "b c h w"]:
        fine, *deep = self.backbone(image)
        size = deep[-1].shape[2:]
        reduced = [_at(reduce(m), size) for reduce, m in zip(self.reduce, deep, strict=True)]
        context = _at(self.context(torch.cat(reduced, dim=1)), fine.shape[2:])
        return self.classify(self.refine(torch.cat([context, self.fine(fine)], dim=1)))


def _at(m: Tensor, size: torch.Size) -> Tensor:
    return m if m.shape[2:] == size else F.interpolate(m, size, mode="bilinear", align_corners=False)
