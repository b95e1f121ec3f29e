"""Maps shrunk to a bounded size, block by block: every cell is the mean of the pixels in it."""

import torch
from jaxtyping import Float
from torch import Tensor


class Shrunk:
    """A map of c channels, whose blocks are added one after the other."""

    def __init__(self, size: tuple[int, int], longest: int):
        """
        Args:
            size: rows and columns of the map.  longest: most rows or columns of the shrunk one.
        """
        self.size = size
        factor = min(1.0, longest / max(size))
        self.shrunk_size = max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
        self.map: Float[Tensor, "c y x"] | None = None

    def add(self, row: int, column: int, block: Float[Tensor, "c h w"]) -> None:
        """Add the block whose first row and column are given."""
        if self.map is None:
            self.map = torch.zeros(len(block), *self.shrunk_size)
        block = block.float().cpu()
        if self.shrunk_size == self.size:
            self.map[:, row : row + block.shape[1], column : column + block.shape[2]] += block
            return
        (y0, y1, Y), (x0, x1, X) = (
            _means(start, start + n, *sizes)
            for start, n, sizes in zip(
                (row, column), block.shape[1:], zip(self.size, self.shrunk_size, strict=True), strict=True
            )
        )
        self.map[:, y0:y1, x0:x1] += Y @ block @ X.T


def _means(start: int, stop: int, pixels: int, cells: int) -> tuple[int, int, Float[Tensor, "cells pixels"]]:
    """Return the first cell that pixels start..stop lie in, the one after the last, and every pixel's share of each cell."""
    side = pixels / cells
    first, last = int(start / side), min(cells, int(-(-stop // side)) + 1)
    edges = torch.arange(first, last + 1, dtype=torch.float64) * side
    pixel = torch.arange(start, stop, dtype=torch.float64)
    inside = torch.minimum(pixel + 1, edges[1:, None]) - torch.maximum(pixel, edges[:-1, None])
    return first, last, (inside.clamp(min=0) / side).float()
