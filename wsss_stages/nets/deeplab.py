"""DeepLab: atrous spatial pyramid pooling on any backbone (Chen et al. 2017), the final segmenter of Sec. 3.4."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torchvision.models.segmentation.deeplabv3 import ASPP

from wsss_stages.nets.backbones import Backbone


class DeepLab(nn.Module):
    """Backbone, ASPP, 3x3 convolution, classifier; logits at the stride of the backbone."""

    def __init__(self, backbone: Backbone, classes: int, channels: int):
        """`classes` counts background; `channels` is the width of the head."""
        super().__init__()
        self.backbone = backbone
        rates = (6, 12, 18)
        self.aspp = ASPP(backbone.dims[-1], rates, channels)
        self.classify = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, classes, 1),
        )

    def forward(self, image: Float[Tensor, "b 3 H W"]) -> Float[Tensor, "b c h w"]:
        return self.classify(self.aspp(self.backbone(image)[-1]))

    def new_parameters(self) -> list[nn.Parameter]:
        """Parameters that no pretrained weights fill."""
        return [*self.aspp.parameters(), *self.classify.parameters()]


@torch.no_grad()
def multi_scale(
    network: DeepLab, image: Float[Tensor, "1 3 h w"], scales: list[float], flip: bool
) -> Float[Tensor, "c h w"]:
    """Class probabilities at full size, the mean over scales and mirror."""
    h, w = image.shape[2:]
    total = torch.zeros((), device=image.device)
    for scale in scales:
        size = (max(32, round(h * scale)), max(32, round(w * scale)))
        scaled = F.interpolate(image, size, mode="bilinear", align_corners=False)
        logits = network(torch.cat([scaled, scaled.flip(3)]) if flip else scaled).float()
        P = F.interpolate(logits, (h, w), mode="bilinear", align_corners=False).softmax(dim=1)
        total = total + (P[:1] + P[1:].flip(3) if flip else P)[0]
    return total / (len(scales) * (2 if flip else 1))


def segmentation_loss(logits: Float[Tensor, "b c h w"], labels: Tensor, balanced: bool) -> Float[Tensor, ""]:
    """Cross-entropy of upsampled logits; `balanced` is the mean of the background's mean and the foreground's.

    Args:
        labels: (b, H, W) uint8, 255 ignored. A term without pixels is 0.
    """
    upsampled = F.interpolate(logits.float(), labels.shape[1:], mode="bilinear", align_corners=False)
    loss = F.cross_entropy(upsampled, labels.long(), ignore_index=255, reduction="none")
    background, foreground = labels == 0, (labels > 0) & (labels != 255)
    if not balanced:
        known = background | foreground
        return (loss * known).sum() / known.sum().clamp(min=1)
    means = [(loss * mask).sum() / mask.sum().clamp(min=1) for mask in (background, foreground)]
    return (means[0] + means[1]) / 2
