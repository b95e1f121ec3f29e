"""DeepLab-v3+ (Chen et al. 2018) of few layers: three maps, the finer one beside the context of the deeper two."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsss_stages.nets import backbones
from wsss_stages.nets.grid import Grid, onto
from wsss_stages.nets.heads import head
from wsss_stages.nets.segmenter import Segmenter, block

FINE = 48
"""Width that the fine map is reduced to (Chen et al. 2018)."""


@head("deeplab_v3plus")
class DeepLabV3Plus(Segmenter):
    """The middle and the last map joined, two 3x3 convolutions, upsampled beside the fine map, two more, a classifier.

    The fine map has stride 8 where the paper's has 4, which would be four times the work, and 3x3 convolutions take the place of ASPP.
    """

    body = staticmethod(backbones.skips)

    def __init__(self, backbone: backbones.Backbone, classes: int, channels: int):
        """
        Args:
            classes counts background; `channels` is the width of the head.
        """
        super().__init__(backbone)
        _, fine, *deep = backbone.dims
        self.reduce = nn.ModuleList(nn.Sequential(*block(dim, channels, 1)) for dim in deep)
        self.context = nn.Sequential(*block(len(deep) * channels, channels, 3), *block(channels, channels, 3))
        self.fine = nn.Sequential(*block(fine, FINE, 1))
        self.refine = nn.Sequential(*block(channels + FINE, channels, 3), *block(channels, channels, 3))
        self.classify = nn.Conv2d(channels, classes, 1)

    @property
    def grid(self) -> Grid:
        """Return the grid of the logits, which lie at the nodes of the fine map."""
        return self.backbone.grids[1]

    def forward(self, image: Float[Tensor, "b 3 H W"]) -> Float[Tensor, "b c h w"]:
        _, fine, middle, last = self.backbone(image)
        joined = torch.cat([reduce(m) for reduce, m in zip(self.reduce, (middle, last), strict=True)], dim=1)
        context = onto(self.context(joined), self.backbone.grids[-1], self.grid, fine.shape[2:])
        return self.classify(self.refine(torch.cat([context, self.fine(fine)], dim=1)))
