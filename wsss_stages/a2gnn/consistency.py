"""Consistency checking: seeds of a box that do not look like its points are dropped (Eqs. 3.27-3.28)."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from wsss_stages.a2gnn.multi_point import Boxes


def consistent(
    H: Float[Tensor, "b h w d"],
    prototypes: Float[Tensor, "k d"],
    seeds: Int[Tensor, "b h w"],
    boxes: Boxes,
    rule: str,
) -> Bool[Tensor, "b h w"]:
    """Return the nodes that keep their seed; only a seed of a box's class inside it can lose it, and every such box must agree.

    As printed and as released the rule never drops a seed, for features are not negative (Deviations):
    `released` drops where cos(H, P_k) < 0; `background_margin` where cos(H, P_k) is not above the cosine with the
    mean of the background's seeds; `centred` where the cosine of features less their image's mean is not above 0.

    Args:
        H: features of the last attention layer, without gradient.  seeds: rows of classes, 0 background, -1 unknown.
    """
    if rule == "none" or len(prototypes) == 0:
        return torch.ones_like(seeds, dtype=torch.bool)
    if rule == "centred":
        mean = H.mean(dim=(1, 2))
        H, prototypes = H - mean[:, None, None], prototypes - mean[boxes.image]
    u = F.normalize(H, dim=3, eps=1e-7).flatten(1, 2)
    likeness = _cosine(u, prototypes, boxes)
    if rule == "background_margin":
        background = (seeds == 0).flatten(1).to(H)
        count = background.sum(dim=1)
        P_bg = (background.unsqueeze(1) @ H.flatten(1, 2)).squeeze(1) / count.clamp(min=1).unsqueeze(1)
        to_background = (u @ F.normalize(P_bg, dim=1, eps=1e-7).unsqueeze(2)).squeeze(2)
        margin = likeness - to_background[boxes.image]
        likeness = torch.where((count > 0)[boxes.image].unsqueeze(1), margin, 1.0)  # no background: keep
    keeps = likeness >= 0 if rule == "released" else likeness > 0
    keeps = keeps.view_as(boxes.mask)
    concerned = boxes.mask & (seeds[boxes.image] == boxes.row[:, None, None])
    dropped = torch.zeros(seeds.shape, device=seeds.device).index_add(0, boxes.image, (concerned & ~keeps).float())
    return dropped == 0


def _cosine(u: Float[Tensor, "b n d"], P: Float[Tensor, "k d"], boxes: Boxes) -> Float[Tensor, "k n"]:
    """Return the cosine of every node of a box's image with the box's vector; u has norm 1."""
    of_image = int(boxes.number.max()) + 1
    vectors = P.new_zeros(len(u), of_image, P.shape[1])
    vectors[boxes.image, boxes.number] = F.normalize(P, dim=1, eps=1e-7)
    return (vectors @ u.transpose(1, 2))[boxes.image, boxes.number]
