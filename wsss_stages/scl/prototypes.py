"""Masks at the nodes of a feature map, and means of the features under them (Eqs. 5.1, 5.5, 5.6)."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from wsss_stages import UNKNOWN
from wsss_stages.nets.grid import Grid, means_at_nodes


def at_nodes(
    mask: UInt8[Tensor, "b H W"], size: tuple[int, int], grid: Grid | None = None
) -> tuple[Bool[Tensor, "b y x"], Bool[Tensor, "b y x"]]:
    """Return M_s at the nodes: cells of which at least half is foreground, or without such cells those with the largest share.

    Args:
        mask: 0 other, 1 foreground, 255 unknown.  grid: of the nodes; None: they are cells.

    Returns: M_s, and whether at least half of a cell is known.
    """
    shares = torch.stack([mask == value for value in (1, UNKNOWN)], dim=1).float()
    means = F.adaptive_avg_pool2d(shares, size) if grid is None else means_at_nodes(shares, grid, size)
    share, unknown = means.unbind(dim=1)
    most = share.amax(dim=(1, 2), keepdim=True)
    fallback = (most < 0.5) & (share == most) & (share > 0)
    return (share >= 0.5) | fallback, unknown <= 0.5


def masked_mean(F_s: Float[Tensor, "b d y x"], M: Bool[Tensor, "b y x"]) -> Float[Tensor, "b d"]:
    r"""Return :math:`\sum_i F_s(i) [M(i) = 1] / \sum_i [M(i) = 1]` (Eq. 5.1); zero where M is empty, as v_aux often is."""
    inside = M[:, None].to(F_s.dtype)
    return (F_s * inside).sum(dim=(2, 3)) / inside.sum(dim=(2, 3)).clamp(min=1)


def spread(F_s: Float[Tensor, "b d y x"], V: Float[Tensor, "b n d"]) -> Float[Tensor, "b c y x"]:
    """Return features with n vectors repeated at every node (Eqs. 5.2, 5.8, 5.11); c = (n + 1) d."""
    b, _, y, x = F_s.shape
    return torch.cat([F_s, V.reshape(b, -1, 1, 1).expand(-1, -1, y, x)], dim=1)
