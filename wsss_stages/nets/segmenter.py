"""The common parts of all final segmenters (Sec. 3.4): a backbone, logits of classes, prediction over scales, the loss."""

from collections.abc import Iterable

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from wsss_stages.evaluation import metrics
from wsss_stages.nets import backbones
from wsss_stages.nets.grid import Grid, to_pixels

CHANNELS_OF_A_GROUP = 16
"""Least channels of a group norm's groups (Wu and He 2018): with fewer, a 1x1 map would lose its information."""


class Segmenter(nn.Module):
    """A backbone and a head; forward gives logits at the head's stride.

    A head is built of (backbone, classes with background, width) and its backbone by `body`.
    """

    body = staticmethod(backbones.build)

    def __init__(self, backbone: backbones.Backbone):
        super().__init__()
        self.backbone = backbone

    @property
    def grid(self) -> Grid:
        """Return the grid of the logits in the image."""
        return self.backbone.grids[-1]

    def graded(self, image: Float[Tensor, "b 3 H W"]) -> dict[str, tuple[Float[Tensor, "b c _ _"], float]]:
        """Return the graded logits: name of the loss to logits and weight."""
        return {"cross_entropy": (self(image), 1.0)}


def block(before: int, after: int, size: int) -> list[nn.Module]:
    """Return convolution, batch norm and ReLU."""
    return [nn.Conv2d(before, after, size, padding=size // 2, bias=False), nn.BatchNorm2d(after), nn.ReLU()]


def pooled(before: int, after: int, side: int) -> nn.Sequential:
    """Return a branch: means over a grid of `side` x `side` cells, 1x1 convolution, group norm, ReLU.

    A batch norm would see as many values as there are images at side 1: none to spare at a batch of one, and at few others than
    those that it predicts with.
    """
    conv = nn.Conv2d(before, after, 1, bias=False)
    return nn.Sequential(nn.AdaptiveAvgPool2d(side), conv, group_norm(after), nn.ReLU())


def group_norm(channels: int) -> nn.GroupNorm:
    """Return a group norm of the most groups of equal size that have at least 16 channels each, or of one group."""
    groups = range(max(1, channels // CHANNELS_OF_A_GROUP), 0, -1)
    return nn.GroupNorm(next(number for number in groups if channels % number == 0), channels)


@torch.no_grad()
def multi_scale(
    network: Segmenter, image: Float[Tensor, "1 3 h w"], scales: list[float], flip: bool
) -> Float[Tensor, "c h w"]:
    """Return class probabilities at full size, the mean over scales and mirror."""
    h, w = image.shape[2:]
    total = torch.zeros((), device=image.device)
    for scale in scales:
        size = (max(32, round(h * scale)), max(32, round(w * scale)))
        scaled = F.interpolate(image, size, mode="bilinear", align_corners=False)
        logits = network(torch.cat([scaled, scaled.flip(3)]) if flip else scaled).float()
        P = to_pixels(logits, network.grid, (h, w), size).softmax(dim=1)
        total = total + (P[:1] + P[1:].flip(3) if flip else P)[0]
    return total / (len(scales) * (2 if flip else 1))


def scaled_logits(
    network: Segmenter, image: Float[Tensor, "b 3 H W"], logits: Float[Tensor, "b c _ _"], scales: list[float]
) -> dict[str, Float[Tensor, "b c H W"]]:
    """Return logits at the pixels by the names of their losses: of the image at each scale, and the largest of all (DeepLab-v2).

    Args:
        logits: of the image itself, at the network's grid.
    """
    size = (image.shape[2], image.shape[3])
    found = {}
    for scale in scales:
        seen = (max(32, round(size[0] * scale)), max(32, round(size[1] * scale)))
        smaller = F.interpolate(image, seen, mode="bilinear", align_corners=False)
        found[f"scale_{scale:g}"] = to_pixels(network(smaller).float(), network.grid, size, seen)
    whole = to_pixels(logits.float(), network.grid, size)
    return found | {"scale_max": torch.stack([whole, *found.values()]).amax(dim=0)}


@torch.no_grad()
def agreement(network: Segmenter, batches: Iterable[dict], classes: int) -> np.ndarray:
    """Return (classes, classes) pixel counts of batches, the given label by row and the predicted one by column, at one scale.

    Args:
        batches: of `image` (b, 3, H, W), RGB in [0, 1], and `labels` (b, H, W) uint8, 255 ignored.
    """
    counts = np.zeros((classes, classes), np.int64)
    for batch in batches:
        labels = batch["labels"]
        logits = network(backbones.normalise(batch["image"])).float()
        found = to_pixels(logits, network.grid, tuple(labels.shape[1:])).argmax(dim=1)
        counts += metrics.confusion(labels.cpu().numpy(), found.cpu().numpy(), classes)
    return counts


def segmentation_loss(
    logits: Float[Tensor, "b c h w"], labels: Tensor, balanced: bool, grid: Grid | None = None
) -> Float[Tensor, ""]:
    """Return the cross-entropy of upsampled logits; `balanced` is the mean of the background's mean and the foreground's.

    Args:
        labels: (b, H, W) uint8, 255 ignored. A term without pixels is 0.  grid: of the logits; None: they are cells.
    """
    upsampled = to_pixels(logits.float(), grid, (labels.shape[1], labels.shape[2]))
    loss = F.cross_entropy(upsampled, labels.long(), ignore_index=255, reduction="none")
    background, foreground = labels == 0, (labels > 0) & (labels != 255)
    if not balanced:
        known = background | foreground
        return (loss * known).sum() / known.sum().clamp(min=1)
    means = [(loss * mask).sum() / mask.sum().clamp(min=1) for mask in (background, foreground)]
    return (means[0] + means[1]) / 2
