"""DeepLab: atrous spatial pyramid pooling on any backbone, in version 3 (Chen et al. 2017) and version 2 (2018)."""

from functools import reduce
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsss_stages.nets.backbones import Backbone
from wsss_stages.nets.heads import head
from wsss_stages.nets.segmenter import Segmenter, block, group_norm


@head("deeplab_v3")
class DeepLabV3(Segmenter):
    """ASPP of rates 6, 12, 18 with image pooling, batch norm but for the pooled branch, 3x3 convolution, classifier."""

    def __init__(self, backbone: Backbone, classes: int, channels: int):
        """
        Args:
            classes counts background; `channels` is the width of the head.
        """
        from torchvision.models.segmentation.deeplabv3 import ASPP  # seconds, which other networks need not wait

        super().__init__(backbone)
        self.aspp = ASPP(backbone.dims[-1], (6, 12, 18), channels)
        pooling: Any = self.aspp.convs[-1]
        pooling[2] = group_norm(channels)  # batch norm there needs two images
        self.classify = nn.Sequential(*block(channels, channels, 3), nn.Conv2d(channels, classes, 1))

    def forward(self, image: Float[Tensor, "b 3 H W"]) -> Float[Tensor, "b c h w"]:
        return self.classify(self.aspp(self.backbone(image)[-1]))


@head("deeplab_v2")
class DeepLabV2(Segmenter):
    """The sum of four 3x3 convolutions to the classes, of rates 6, 12, 18 and 24; it has no width of its own."""

    def __init__(self, backbone: Backbone, classes: int, channels: int):
        """
        Args:
            classes counts background; `channels` is not used.
        """
        super().__init__(backbone)
        convs = [nn.Conv2d(backbone.dims[-1], classes, 3, padding=rate, dilation=rate) for rate in (6, 12, 18, 24)]
        self.aspp = nn.ModuleList(convs)
        for conv in convs:
            nn.init.normal_(conv.weight, std=0.01)
            nn.init.zeros_(cast(Tensor, conv.bias))

    def forward(self, image: Float[Tensor, "b 3 H W"]) -> Float[Tensor, "b c h w"]:
        m = self.backbone(image)[-1]
        return reduce(torch.add, (conv(m) for conv in self.aspp))
