"""The loss of a training step: Eq. 5.14, and the inner losses of PFENet."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from wsss_stages.nets.grid import Grid
from wsss_stages.nets.segmenter import segmentation_loss
from wsss_stages.scl.few_shot import FewShot
from wsss_stages.scl.head import Maps, Scores
from wsss_stages.scl.prototypes import at_nodes


@dataclass(frozen=True)
class Settings:
    """Weights of the support's losses (Eqs. 5.7, 5.10) and of PFENet's inner ones, and how each loss weighs background and foreground."""

    s1_weight: float
    s2_weight: float
    inner_weight: float
    balanced_ce: bool


def losses(
    network: FewShot,
    query: Maps,
    query_mask: UInt8[Tensor, "b H W"],
    support: Maps,
    support_mask: UInt8[Tensor, "b H W"],
    opt: Settings,
) -> dict[str, Float[Tensor, ""]]:
    """Return L_q, L_s1 and L_s2 with their weights, and the inner losses of each; a term of weight 0 is left out.

    Masks: 0 background, 1 foreground, 255 ignored. A query may have no foreground: then the network learns to find
    none, and the support learns to predict itself all the same. A support without any gives zero vectors, and learns
    that it has none.
    """
    query, support = network.partly(query, support)
    y, x = support.middle.shape[2:]
    M_s, known = at_nodes(support_mask, (y, x), network.grid)
    guidance = network.guide(support, M_s, first=opt.s1_weight > 0)
    hints = network.head.hints(query, support, M_s, known)
    made = _graded("query", network.head.query(query, guidance.V, hints), query_mask, 1.0, opt, network.grid)
    if opt.s1_weight and guidance.first is not None:
        made |= _graded("s1", guidance.first, support_mask, opt.s1_weight, opt, network.grid)
    if opt.s2_weight:
        P_s2 = network.head.support(guidance.F_s, guidance.V)
        made |= _graded("s2", P_s2, support_mask, opt.s2_weight, opt, network.grid)
    return made


def _graded(name: str, scores: Scores, mask: Tensor, weight: float, opt: Settings, grid: Grid) -> dict[str, Tensor]:
    made = {name: weight * segmentation_loss(scores.logits, mask, opt.balanced_ce, grid)}
    if scores.inner and opt.inner_weight:
        inner = [segmentation_loss(logits, mask, opt.balanced_ce) for logits in scores.inner]
        made[f"{name}, inner"] = weight * opt.inner_weight * torch.stack(inner).mean()
    return made
