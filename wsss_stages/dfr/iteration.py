"""One iteration of DFR: the network's outputs, and the losses of its two heads (Eq. 4.1)."""

from collections.abc import Collection
from dataclasses import dataclass
from math import inf, sqrt

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from wsss_stages import UNKNOWN
from wsss_stages.dfr import losses as terms
from wsss_stages.dfr.net import DfrNet
from wsss_stages.nets import backbones
from wsss_stages.nets.segmenter import segmentation_loss
from wsss_stages.pairwise.affinity import mean_absolute_difference
from wsss_stages.pairwise.windows import offsets

FEATURES = 128
"""Number of features of the thesis, whose sigma_3 belongs to it."""


@dataclass(frozen=True)
class Settings:
    """The terms of Eq. 4.1: weights, radius and `sigma_xy` in nodes, `sigma_rgb` in units of the normalised image."""

    balanced_ce: bool
    dfr_weight: float
    kernel: Collection[str]
    """The factors of K (Eq. 4.6) in use: position, colour and feature."""
    radius: int
    sigma_xy: float
    sigma_rgb: float
    sigma_feature: float
    """sigma_3 of Eq. 4.6 for 128 features."""
    features: int
    gamma: float
    """Probability above which a prediction is confident (Eq. 4.7)."""
    distance_weight: float
    smooth_weight: float
    supervision: str
    """Labels of the feature head: confident, scribbles or both (Table 4.7)."""
    smooth_pairs: str
    """Pairs of L_fr: all, or confident as Eq. 4.12 is printed."""

    def sigma_of_features(self) -> float:
        """Return sigma_3 for as many features as there are: squared distances grow with their number."""
        return self.sigma_feature * sqrt(self.features / FEATURES)


def losses(
    network: DfrNet,
    image: Float[Tensor, "b 3 h w"],
    labels: UInt8[Tensor, "b h w"],
    valid: Bool[Tensor, "b h w"],
    opt: Settings,
    ramp: float = 1.0,
) -> dict[str, Float[Tensor, ""]]:
    """Return L_pce (Eq. 4.2) and the other terms of Eq. 4.1 with their weights; a term of weight 0 is left out.

    Args:
        image: RGB in [0, 1].  labels: scribbles, or truth; 255 where there are none.  valid: False where padded.
        ramp: share of lambda_1 that L_dfr weighs now.
    """
    x = backbones.normalise(image)
    logits, features = network.both(x)
    made = {"cross_entropy": segmentation_loss(logits, labels, opt.balanced_ce, network.grid)}
    if opt.dfr_weight:
        features = None if features is None else features.float()
        with torch.autocast(image.device.type, enabled=False):
            made |= regularised(logits.float(), features, x.float(), labels, valid, opt, ramp)
    return made


def regularised(
    logits: Float[Tensor, "b c y x"],
    features: Float[Tensor, "b d y x"] | None,
    image: Float[Tensor, "b 3 h w"],
    labels: UInt8[Tensor, "b h w"],
    valid: Bool[Tensor, "b h w"],
    opt: Settings,
    ramp: float,
) -> dict[str, Float[Tensor, ""]]:
    """Return all terms of Eq. 4.1 but the first, between pixels of the fused map; `image` is normalised."""
    size, half = logits.shape[2:], offsets(opt.radius, "square", half=True)
    small = F.interpolate(image, size, mode="area")
    inside = F.interpolate(valid[:, None].float(), size, mode="area")[:, 0] > 0.999  # nothing padded in it
    pixels = inside.sum().clamp(min=1).float()
    P = logits.softmax(dim=1)
    sigma_xy, sigma_rgb = opt.sigma_xy, opt.sigma_rgb
    made = {}
    if ramp:
        place, colour = (
            s if term in opt.kernel else inf for term, s in (("position", sigma_xy), ("colour", sigma_rgb))
        )
        K = terms.static_kernel(small, inside, half, place, colour)
        if features is not None:
            K = K * terms.feature_kernel(features, half, opt.sigma_of_features())
        made["dfr"] = opt.dfr_weight * ramp * terms.regularised_loss(P, K, half, pixels)
    if features is None or not (opt.distance_weight or opt.smooth_weight):
        return made
    M = supervision(P, labels, opt).masked_fill(~inside, UNKNOWN)
    distance = mean_absolute_difference(features, half)
    if opt.distance_weight:
        made["feature_distance"] = opt.distance_weight * terms.feature_distance_loss(distance, M, half)
    if opt.smooth_weight:
        K_f = terms.static_kernel(small, inside, half, sigma_xy, sigma_rgb)
        K_f = K_f * terms.pairs(M != UNKNOWN, half) if opt.smooth_pairs == "confident" else K_f
        made["feature_smooth"] = opt.smooth_weight * terms.feature_regularised_loss(distance, K_f, pixels)
    return made


def supervision(P: Float[Tensor, "b c y x"], labels: UInt8[Tensor, "b h w"], opt: Settings) -> UInt8[Tensor, "b y x"]:
    """Return the labels that the feature head learns from, 255 where there are none (Eq. 4.7, Table 4.7)."""
    M = terms.confident(P, opt.gamma)
    if opt.supervision == "confident":
        return M
    given = F.interpolate(labels[:, None].float(), P.shape[2:], mode="nearest-exact")[:, 0].to(torch.uint8)
    return given if opt.supervision == "scribbles" else torch.where(given != UNKNOWN, given, M)
