"""One iteration of RRM: labels from the network's own CAMs, and the losses that learn from them (Sec. 2.2, Algorithm 1)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from wsss_stages import UNKNOWN
from wsss_stages.labels.cam import multi_scale
from wsss_stages.labels.reliable import Mining
from wsss_stages.nets import backbones
from wsss_stages.nets.classifier import mean_inside
from wsss_stages.nets.segmenter import segmentation_loss
from wsss_stages.rrm.class_distance import class_distance
from wsss_stages.rrm.dense_energy import dense_energy
from wsss_stages.rrm.net import RrmNet
from wsss_stages.rrm.reliable import label_shares, reliable_regions

SIGMA_RGB = 15.0
"""sigma_r of Eq. 2.18, grey levels of 255."""


@dataclass(frozen=True)
class Settings(Mining):
    """Scales and stride of the CAMs, and the terms of Eq. 2.15: weights, `sigma_xy` in pixels (Eq. 2.18), `distance` as `class_distance`."""

    scales: Sequence[float]
    stride: int
    energy_weight: float
    energy_scale: float
    sigma_xy: float
    released_gradient: bool
    distance_weight: float
    distance_above: float
    distance: str


def classification_loss(logits: Float[Tensor, "b n"], tags: Float[Tensor, "b n"]) -> Float[Tensor, ""]:
    """Return L_class of Eq. 2.14, multi-label soft margin."""
    return F.multilabel_soft_margin_loss(logits, tags)


def losses(
    network: RrmNet,
    image: Float[Tensor, "b 3 h w"],
    valid: Bool[Tensor, "b h w"],
    tags: Float[Tensor, "b n"],
    opt: Settings,
    names: list[str],
    ramp: float = 1.0,
) -> dict[str, Float[Tensor, ""] | float]:
    """Return L_class and the terms of Eq. 2.15 with their weights, and shares of the labels (`reliable.label_shares`),
    which are no losses.

    A term of weight 0 is left out. L_ce is the sum of the background's mean and the foreground's (Eq. 2.16).

    Args:
        image: RGB in [0, 1].  valid: False where padded.  tags: 1 for the classes of the image, background not among them.
        names: of the images, for messages.  ramp: share of the weight of the class distance that it has now.
    """
    x = backbones.normalise(image)
    classes = [row.nonzero()[:, 0] + 1 for row in tags]
    found = network.both(x)

    def cam_of(scaled: Tensor) -> Tensor:
        return found.cam if scaled.shape == x.shape else network.cam(scaled)

    cams = multi_scale(cam_of, x, classes, opt.scales, False, opt.stride, network.grid)
    labels = reliable_regions(image, valid, cams, classes, opt, names)
    made = {
        "classification": classification_loss(mean_inside(found.activation, valid), tags),
        "cross_entropy": 2 * segmentation_loss(found.logits, labels, True, network.grid),
        **label_shares(labels, valid, classes),
    }
    if opt.energy_weight:
        made["dense_energy"] = opt.energy_weight * dense_energy(
            found.logits,
            image,
            labels,
            valid,
            opt.sigma_xy,
            SIGMA_RGB,
            opt.energy_scale,
            opt.released_gradient,
            network.grid,
        )
    if opt.distance_weight * ramp:
        inside = F.interpolate(valid[:, None].float(), found.logits.shape[2:])[:, 0] > 0
        P = found.logits.detach().float().softmax(dim=1).max(dim=1)
        M_p = P.indices.masked_fill(~inside | (P.values < opt.distance_above), UNKNOWN)
        distance = class_distance(found.features, M_p, tags.shape[1], opt.distance)
        made["class_distance"] = opt.distance_weight * ramp * distance
    return made
