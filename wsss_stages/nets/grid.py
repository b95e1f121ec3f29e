"""The places of a feature map's nodes in the image: maps to pixels and pixels to nodes."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Grid:
    """Node k of a map lies at pixel `stride` k + `offset` of its image, along both axes; pixels lie at whole numbers."""

    stride: int
    offset: float

    @classmethod
    def cells(cls, stride: int) -> "Grid":
        """Return the grid of the centres of cells of `stride` pixels."""
        return cls(stride, (stride - 1) / 2)

    def places(self, nodes: int) -> Float[Tensor, "n"]:
        """Return the pixel of each node."""
        return torch.arange(nodes) * self.stride + self.offset

    def nearest(self, nodes: int, pixels: int) -> np.ndarray:
        """Return the pixel nearest to each node; of two the latter, and none beyond the image."""
        return np.clip(np.floor(self.places(nodes).numpy() + 0.5).astype(int), 0, pixels - 1)


PIXELS = Grid(1, 0.0)


def sampled(
    maps: Float[Tensor, "b c y x"], grid: Grid, rows: Float[Tensor, "h"], columns: Float[Tensor, "w"]
) -> Float[Tensor, "b c h w"]:
    """Return maps at places of the image, bilinear between nodes; beyond the outer nodes their values go on.

    Args:
        rows, columns: places in pixels.
    """
    y, x = (_weights(at, grid, n).to(maps) for at, n in zip((rows, columns), maps.shape[2:], strict=True))
    with torch.autocast(maps.device.type, enabled=False):
        return y @ maps @ x.T


def to_pixels(
    maps: Float[Tensor, "b c y x"], grid: Grid | None, size: tuple[int, int], seen: tuple[int, int] | None = None
) -> Float[Tensor, "b c h w"]:
    """Return maps at the pixels of an image of `size`, which the network saw resized to `seen`.

    Args:
        grid: None for maps that are the image resized, each node a cell of it.
    """
    if grid is None or (seen in (None, size) and _whole_cells(maps, grid, size)):
        return F.interpolate(maps, size, mode="bilinear", align_corners=False)
    seen = seen or size
    places = ((torch.arange(n) + 0.5) * m / n - 0.5 for n, m in zip(size, seen, strict=True))
    return sampled(maps, grid, *places)


def onto(maps: Float[Tensor, "b c y x"], grid: Grid, other: Grid, nodes: tuple[int, int]) -> Float[Tensor, "b c v u"]:
    """Return maps at the nodes of another grid on the same image."""
    if grid == other and maps.shape[2:] == nodes:
        return maps
    return sampled(maps, grid, *(other.places(n) for n in nodes))


def means_at_nodes(maps: Float[Tensor, "b c h w"], grid: Grid, nodes: tuple[int, int]) -> Float[Tensor, "b c y x"]:
    """Return the mean over the pixels nearest to each node; a node beyond the image has its border's."""
    y, x = (_nearest(grid, m, n).to(maps) for m, n in zip(nodes, maps.shape[2:], strict=True))
    return y @ maps @ x.T


def labels_at_nodes(labels: np.ndarray, grid: Grid, nodes: tuple[int, int] | None = None) -> np.ndarray:
    """Return the label of the pixel at each node; by default of as many nodes as cells of a stride hold the image."""
    nodes = nodes or tuple(-(-n // grid.stride) for n in labels.shape)
    return labels[np.ix_(*(grid.nearest(m, n) for m, n in zip(nodes, labels.shape, strict=True)))]


def _whole_cells(maps: Tensor, grid: Grid, size: tuple[int, int]) -> bool:
    """Return whether the nodes are the centres of cells that fill the image: torch's own interpolation is the same,
    and faster.
    """
    return grid == Grid.cells(grid.stride) and all(
        n * grid.stride == pixels for n, pixels in zip(maps.shape[2:], size, strict=True)
    )


def _weights(places: Float[Tensor, "h"], grid: Grid, nodes: int) -> Float[Tensor, "h y"]:
    """Return the weight of each node at each place: 1 on the node, falling to 0 at its neighbours."""
    at = ((places - grid.offset) / grid.stride).clamp(0, nodes - 1)
    return F.relu(1 - (at[:, None] - torch.arange(nodes)).abs())


def _nearest(grid: Grid, nodes: int, pixels: int) -> Float[Tensor, "y h"]:
    """Return rows that average the pixels nearest to each node, and the border's of nodes that no pixel is nearest to."""
    pixel = (torch.floor((torch.arange(pixels) - grid.offset) / grid.stride + 0.5)).clamp(0, nodes - 1)
    own = (pixel == torch.arange(nodes)[:, None]).float()
    own[own.sum(dim=1) == 0, -1] = 1
    return own / own.sum(dim=1, keepdim=True)
