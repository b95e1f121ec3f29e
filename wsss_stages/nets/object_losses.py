"""The object network's losses: GrabCut's mask, neighbours of one colour, and the lines of a tight box."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

from wsss_stages import UNKNOWN
from wsss_stages.pairwise.windows import look, padded

APART = 2
"""Pixels between the two of a pair, in rows, columns or both."""
PAIRS = ((0, APART), (APART, -APART), (APART, 0), (APART, APART))


def mask_loss(
    logits: Float[Tensor, "b h w"],
    target: UInt8[Tensor, "b h w"],
    inside: Float[Tensor, "b h w"],
    outside_weight: float,
) -> Float[Tensor, ""]:
    """Return the mean over boxes of the mean cross-entropy inside the box plus `outside_weight` times that in its margins.

    Args:
        target: 1 object, 0 not, 255 unknown.  inside: 1 in the box. A mean of nothing is 0.
    """
    known = (target != UNKNOWN).float()
    entropy = F.binary_cross_entropy_with_logits(logits, (target == 1).float(), reduction="none")
    within, around = (_means(entropy, known * where) for where in (inside, 1 - inside))
    return (within + outside_weight * around).mean()


def colour_loss(
    logits: Float[Tensor, "b h w"],
    colours: Float[Tensor, "b 3 h w"],
    inside: Float[Tensor, "b h w"],
    nearest: float,
) -> Float[Tensor, ""]:
    r"""Return the mean over boxes and their pairs of :math:`-\log(p_i p_j + (1 - p_i)(1 - p_j))`, p = sigmoid(logits).

    A pair is two pixels, `APART` rows or columns or both from each other, whose colours are nearer than `nearest` and of which at least
    one lies in the box: pixels of one colour are of one kind (Tian et al., BoxInst, CVPR 2021, Eqs. 5-7). Unlike GrabCut, which asks the
    same of one photograph at a time, the network has to agree over all of them. A mean of nothing is 0.

    Args:
        colours: CIE L*a*b*.  inside: 1 in the box.  nearest: Euclidean distance of colours.
    """
    maps = [padded(x, APART, 0.0) for x in (F.logsigmoid(logits), F.logsigmoid(-logits), inside, colours)]
    on_grid = padded(torch.ones_like(inside), APART, 0.0)
    yes_i, no_i, inside_i, colours_i = (look(x, APART, 0, 0) for x in maps)
    total = number = torch.zeros(len(logits), device=logits.device)
    for dy, dx in PAIRS:
        yes_j, no_j, inside_j, colours_j = (look(x, APART, dy, dx) for x in maps)
        alike = (colours_i - colours_j).norm(dim=1) < nearest
        counts = alike * look(on_grid, APART, dy, dx) * torch.maximum(inside_i, inside_j)
        entropy = -torch.logaddexp(yes_i + yes_j, no_i + no_j)
        total, number = total + (entropy * counts).sum(dim=(1, 2)), number + counts.sum(dim=(1, 2))
    return (total / number.clamp(min=1)).mean()


def line_loss(logits: Float[Tensor, "b h w"], inside: Float[Tensor, "b h w"]) -> Float[Tensor, ""]:
    """Return the mean over boxes of the cross-entropy of the likeliest pixel in every row and column (first term of Eq. 3.26).

    Boxes are tight: each of their lines meets the object (Eqs. 3.23-3.24).  inside: 1 in the box.
    """
    likeliest = logits.masked_fill(inside == 0, float("-inf"))
    means = []
    for axis in (1, 2):
        lines = inside.amax(dim=axis)
        entropy = -F.logsigmoid(likeliest.amax(dim=axis).masked_fill(lines == 0, 0.0))
        means.append(((entropy * lines).sum(dim=1), lines.sum(dim=1)))
    (rows, row_number), (columns, column_number) = means
    return ((rows + columns) / (row_number + column_number).clamp(min=1)).mean()


def _means(x: Tensor, weight: Tensor) -> Float[Tensor, "b"]:
    return (x * weight).sum(dim=(1, 2)) / weight.sum(dim=(1, 2)).clamp(min=1)
