"""Losses of SEAM (Wang et al. 2020), the classifier of Eq. 3.1."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from wsss_stages.nets.classifier import SeamClassifier, mean_inside


def seam_losses(
    network: SeamClassifier,
    image: Float[Tensor, "b 3 h w"],
    valid: Bool[Tensor, "b h w"],
    tags: Float[Tensor, "b n"],
    scale: float,
) -> dict[str, Tensor]:
    """Return the classification, equivariance (ER) and cross (ECR) losses of an image and its copy at `scale`.

    valid: False at the padding of a crop.
    """
    small = F.interpolate(image, scale_factor=scale, mode="bilinear", align_corners=False)
    present = torch.cat([torch.ones_like(tags[:, :1]), tags], dim=1)[:, :, None, None]
    raw, refined = network(image)
    raw_small, refined_small = network(small)
    size = raw_small.shape[2:]
    cams = [at_size(max_norm(m.float()) * present, size) for m in (raw, raw_small)]
    refined_cams = [at_size(max_norm(m.float()) * present, size) for m in (refined, refined_small)]
    cams = [torch.cat([1 - m[:, 1:].amax(dim=1, keepdim=True), m[:, 1:]], dim=1) for m in cams]
    logits = [mean_inside(m.float()[:, 1:], valid) for m in (raw, raw_small)]
    one, other = (F.multilabel_soft_margin_loss(m, tags) for m in logits)
    low, low_small = (min_pooling((m.float() * present)[:, 1:]) for m in (refined, refined_small))
    return {
        "classification": (one + other) / 2 + (low + low_small) / 2,
        "er": (cams[0][:, 1:] - cams[1][:, 1:]).abs().mean(),
        "ecr": hardest(cams[1], refined_cams[0]) + hardest(cams[0], refined_cams[1]),
    }


def max_norm(x: Float[Tensor, "b c y x"]) -> Float[Tensor, "b c y x"]:
    """Return maps rectified and min-max normalised per class, values just below the minimum cut to 0."""
    x = F.relu(x)
    low, high = x.amin(dim=(2, 3), keepdim=True), x.amax(dim=(2, 3), keepdim=True)
    return F.relu(x - low - 1e-5) / (high - low + 1e-5)


def at_size(x: Float[Tensor, "b c y x"], size: torch.Size) -> Float[Tensor, "b c h w"]:
    """Resize bilinearly."""
    return F.interpolate(x, size, mode="bilinear", align_corners=False)


def min_pooling(x: Float[Tensor, "b c y x"]) -> Float[Tensor, ""]:
    """Return the mean of the lowest quarter of nodes of the strongest class: background must exist."""
    strongest = x.amax(dim=1).flatten(1)
    count = max(1, strongest.shape[1] // 4)
    return F.relu(strongest.topk(count, dim=1, largest=False).values).mean()


def hardest(cam: Float[Tensor, "b c y x"], refined: Float[Tensor, "b c y x"], share: float = 0.2) -> Float[Tensor, ""]:
    """Return ECR: the mean of the largest `share` of |winners of one branch's CAM - the other's refined CAM|."""
    target = cam.detach()
    foreground = target[:, 1:]
    target = torch.cat([target[:, :1], foreground * (foreground >= foreground.amax(dim=1, keepdim=True))], dim=1)
    difference = (target - refined).abs().flatten(1)
    return difference.topk(max(1, int(share * difference.shape[1])), dim=1).values.mean()
