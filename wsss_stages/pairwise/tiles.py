"""A grid cut into tiles of nodes that share what they see, so that windows become batched matrix products."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

TILE = 8
"""Side of a tile; 8 measured best among 4, 8 and 16 on two cores."""


class Tiles:
    """Tiles of q = TILE² nodes and their halos: the k nodes within `radius` rows and columns of a tile, and its own.

    The grid is (h, w); tiles beyond its right and bottom border are filled with 0.
    """

    def __init__(self, size: tuple[int, int], radius: int):
        self.size, self.radius = size, radius
        self.rows, self.columns = (-(-n // TILE) for n in size)
        self.extra = (self.rows * TILE - size[0], self.columns * TILE - size[1])
        self.side = TILE + 2 * radius

    def queries(self, x: Float[Tensor, "b h w d"]) -> Float[Tensor, "b t q d"]:
        """Nodes tile by tile."""
        x = F.pad(x, (0, 0, 0, self.extra[1], 0, self.extra[0]))
        b, d = len(x), x.shape[3]
        return x.reshape(b, self.rows, TILE, self.columns, TILE, d).transpose(2, 3).reshape(b, -1, TILE * TILE, d)

    def grid(self, tiles: Float[Tensor, "b t q d"]) -> Float[Tensor, "b h w d"]:
        """The inverse of `queries`."""
        (h, w), b = self.size, len(tiles)
        x = tiles.reshape(b, self.rows, self.columns, TILE, TILE, -1).transpose(2, 3)
        return x.reshape(b, self.rows * TILE, self.columns * TILE, -1)[:, :h, :w]

    def halo(self, x: Float[Tensor, "b h w d"]) -> Float[Tensor, "b t k d"]:
        """All that each tile's nodes may see; 0 outside the grid."""
        r = self.radius
        around = F.pad(x, (0, 0, r, r + self.extra[1], r, r + self.extra[0]))
        tiles = around.unfold(1, self.side, TILE).unfold(2, self.side, TILE)  # b rows columns d side side
        return tiles.permute(0, 1, 2, 4, 5, 3).reshape(len(x), -1, self.side**2, x.shape[3])

    def add_halos(self, halos: Float[Tensor, "b t k d"]) -> Float[Tensor, "b h w d"]:
        """The adjoint of `halo`: every node collects what all tiles that see it hold for it."""
        (h, w), r, side = self.size, self.radius, self.side
        b, d = len(halos), halos.shape[3]
        reach = -(-side // TILE) - 1
        total = halos.new_zeros(b, (self.rows + reach) * TILE, (self.columns + reach) * TILE, d)
        halos = halos.view(b, self.rows, self.columns, side, side, d).transpose(2, 3)  # b rows side columns side d
        for y in range(0, side, TILE):
            for x in range(0, side, TILE):
                part = halos[:, :, y : y + TILE, :, x : x + TILE]
                place = total[:, y : y + self.rows * TILE, x : x + self.columns * TILE]
                place = place.unflatten(2, (self.columns, TILE)).unflatten(1, (self.rows, TILE))
                place[:, :, : part.shape[2], :, : part.shape[4]] += part
        return total[:, r : r + h, r : r + w]

    def spread(self, values: Float[Tensor, "b n h w"], window: list[tuple[int, int]]) -> Float[Tensor, "b t q k"]:
        """Values for each node and neighbour of a window as a matrix for each tile; 0 for keys outside the window."""
        position = torch.full((TILE, TILE, self.side, self.side), len(window), device=values.device)
        place = torch.arange(TILE, device=values.device)
        y, x = torch.meshgrid(place, place, indexing="ij")
        for number, (dy, dx) in enumerate(window):
            position[y, x, y + self.radius + dy, x + self.radius + dx] = number
        rows = F.pad(self.queries(values.permute(0, 2, 3, 1)), (0, 1))  # the last column, 0, is for all other keys
        return rows.gather(3, position.view(TILE**2, -1).expand(*rows.shape[:3], -1))
