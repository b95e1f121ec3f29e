"""The prior behind Eq. 3.23, also for labels: all rows and columns of a tight box touch its object."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wsss_stages.labels.boxes import smallest_first
from wsss_stages.pairwise.array_checks import FLOATING, INTEGER, check_tensors

LEAST = 0.05
"""Least t that a class is raised from, however small the box's probabilities are."""
AHEAD = 1e-3
"""Distance between the largest possible t and the box's t, so that the class wins there and does not only tie."""


def touch_all_sides(
    P: Float[Tensor, "c h w"], boxes: Int[Tensor, "k 4"], box_rows: Int[Tensor, "k"], share: float
) -> Float[Tensor, "c h w"]:
    r"""Raise each box's class inside the box until it beats all others somewhere in `share` of the rows and columns.

    With :math:`s = P_r / (P_r + \max_{c \ne r} P_c)`, a row or column holds the object above a threshold t if its largest s is over
    t. The box's t is the largest, at most 1/2, that `share` of them pass; :math:`P_r` is multiplied by :math:`(1 - t) / t`, which makes
    t a tie. The largest box comes first, so a smaller one has the last word on its pixels; at the end all classes are normalised.

    Args:
        P: probabilities, background first.  boxes: x0 y0 x1 y1, pixels, 0-based, half open.
        box_rows: row of P of each box's class.  share: in [0, 1]; 0 leaves P as it is.

    Raises ValueError for tensors of other axes or types. Boxes may be on another device than P.
    """
    check_tensors("touch_all_sides", P=(P, "c h w", FLOATING))
    check_tensors("touch_all_sides", boxes=(boxes, "k 4", INTEGER), box_rows=(box_rows, "k", INTEGER))
    if share == 0 or len(boxes) == 0:
        return P
    raised = P.clone()
    for number in smallest_first(boxes.cpu().numpy(), box_rows.cpu().numpy())[::-1].tolist():
        (x0, y0, x1, y1), row = boxes[number].tolist(), int(box_rows[number])
        part = raised[:, y0:y1, x0:x1]
        rival = torch.cat([part[:row], part[row + 1 :]]).amax(dim=0)
        part[row] *= raise_by(part[row] / (part[row] + rival).clamp(min=1e-12), share)
    return raised / raised.sum(dim=0, keepdim=True)


def touch_own_sides(p: Float[Tensor, "h w"], share: float) -> Float[Tensor, "h w"]:
    """Do the same for the probabilities of one box's object, with only background beside it."""
    if share == 0:
        return p
    raised = p * raise_by(p, share)
    return raised / (raised + 1 - p)


def raise_by(s: Float[Tensor, "h w"], share: float) -> float:
    """Return (1 - t) / t of a box with shares s of its class; 1 for a box without pixels."""
    if s.numel() == 0:
        return 1.0
    maxima = torch.cat([s.amax(dim=0), s.amax(dim=1)])
    t = float((torch.quantile(maxima, 1 - share) - AHEAD).clamp(LEAST, 0.5))
    return (1 - t) / t
