"""PSPNet: the pyramid scene parsing network (Zhao et al. 2017) on any backbone."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from wsss_stages.nets.backbones import Backbone
from wsss_stages.nets.heads import head
from wsss_stages.nets.segmenter import Segmenter, block, pooled

BINS = (1, 2, 3, 6)
AUXILIARY_WEIGHT = 0.4


@head("pspnet")
class PspNet(Segmenter):
    """The last map beside its means over grids of 1, 2, 3 and 6 cells a side; the map before it is graded too."""

    def __init__(self, backbone: Backbone, classes: int, channels: int):
        """
        Args:
            classes counts background; `channels` is the width of the last 3x3 convolution.
        """
        super().__init__(backbone)
        *_, before, last = backbone.dims
        self.pools = nn.ModuleList(pooled(last, last // len(BINS), side) for side in BINS)
        width = last + len(BINS) * (last // len(BINS))
        self.classify = _classifier(width, channels, classes)
        self.auxiliary = _classifier(before, before // 4, classes)

    def forward(self, image: Float[Tensor, "b 3 H W"]) -> Float[Tensor, "b c h w"]:
        return self._logits(self.backbone(image)[-1])

    def graded(self, image: Float[Tensor, "b 3 H W"]) -> dict[str, tuple[Float[Tensor, "b c _ _"], float]]:
        *_, before, last = self.backbone(image)
        return {
            "cross_entropy": (self._logits(last), 1.0),
            "auxiliary": (self.auxiliary(before), AUXILIARY_WEIGHT),
        }

    def _logits(self, m: Tensor) -> Tensor:
        means = [F.interpolate(pool(m), m.shape[2:], mode="bilinear", align_corners=False) for pool in self.pools]
        return self.classify(torch.cat([m, *means], dim=1))


def _classifier(before: int, width: int, classes: int) -> nn.Sequential:
    return nn.Sequential(*block(before, width, 3), nn.Dropout2d(0.1), nn.Conv2d(width, classes, 1))
