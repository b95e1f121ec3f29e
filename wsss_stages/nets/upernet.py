"""UPerNet's fusion (Xiao et al. 2018): pyramid pooling on the coarsest map, a way back to the finest, all maps side by side."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from wsss_stages.nets.heads.pspnet import BINS
from wsss_stages.nets.segmenter import block, pooled


class UperNet(nn.Module):
    """Four maps of a backbone to one at the finest stride, of `channels` for each of the blocks that are fused (Fig. 4.2)."""

    def __init__(self, dims: Sequence[int], channels: int, blocks: Sequence[int]):
        """
        Args:
            dims: channels of the maps, the finest first.  blocks: which of the four are fused, 1 the finest.
        """
        super().__init__()
        *finer, last = dims
        self.blocks = sorted(blocks)
        self.pools = nn.ModuleList(pooled(last, channels, side) for side in BINS)
        self.top = nn.Sequential(*block(last + len(BINS) * channels, channels, 3))
        self.lateral = nn.ModuleList(nn.Sequential(*block(dim, channels, 1)) for dim in finer)
        self.smooth = nn.ModuleList(nn.Sequential(*block(channels, channels, 3)) for _ in finer)

    def forward(self, maps: list[Tensor]) -> Float[Tensor, "b d h w"]:
        *finer, last = maps
        levels = [self.top(torch.cat([last, *(_as(pool(last), last) for pool in self.pools)], dim=1))]
        for lateral, m in zip(reversed(self.lateral), reversed(finer), strict=True):
            levels.insert(0, lateral(m) + _as(levels[0], m))
        smoothed = [smooth(level) for smooth, level in zip(self.smooth, levels, strict=False)] + levels[-1:]
        return torch.cat([_as(smoothed[number - 1], levels[0]) for number in self.blocks], dim=1)


def _as(m: Tensor, other: Tensor) -> Tensor:
    """Return a map at the size of another."""
    same = m.shape[2:] == other.shape[2:]
    return m if same else F.interpolate(m, other.shape[2:], mode="bilinear", align_corners=False)
