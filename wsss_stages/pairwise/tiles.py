"""A grid cut into tiles of nodes with a common halo, so that windows become batched matrix products."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from wsss_stages.pairwise.windows import reach

TILE = 8
"""Side of a tile; 8 measured best among 4, 8 and 16 on two cores."""


class Tiles:
    """Tiles of q = TILE² nodes and their halos: the k nodes within the window's reach of a tile, and its own.

    The grid is (h, w); tiles beyond its right and bottom border are filled with 0. Whatever belongs to pairs of nodes i and
    neighbours j is a matrix (q, k) for each of t tiles: batched matrix products do the rest, on any device.
    """

    def __init__(self, size: tuple[int, int], window: list[tuple[int, int]]):
        self.size, self.window, self.radius = size, window, reach(window)
        self.down, self.across = (-(-n // TILE) for n in size)
        self.extra = (self.down * TILE - size[0], self.across * TILE - size[1])
        self.side = TILE + 2 * self.radius

    def layout(self, values: Float[Tensor, "b n h w"]) -> Float[Tensor, "b t q k"]:
        """Return numbers of pairs; 0 outside the window, where they must be 0 outside the grid."""
        position = torch.full((TILE, TILE, self.side, self.side), len(self.window), device=values.device)
        place = torch.arange(TILE, device=values.device)
        y, x = torch.meshgrid(place, place, indexing="ij")
        for number, (dy, dx) in enumerate(self.window):
            position[y, x, y + self.radius + dy, x + self.radius + dx] = number
        rows = F.pad(self.of_nodes(values.permute(0, 2, 3, 1)), (0, 1))  # the last column, 0, is for all other keys
        return rows.gather(3, position.view(TILE**2, -1).expand(*rows.shape[:3], -1))

    def dot(self, A: Float[Tensor, "b h w d"], B: Float[Tensor, "b h w d"]) -> Float[Tensor, "b t q k"]:
        """Return A_i · B_j."""
        return self.of_nodes(A) @ self.halo(B).transpose(2, 3)

    def dot_self(self, A: Float[Tensor, "b h w d"]) -> Float[Tensor, "b t q k"]:
        """Return A_i · A_j."""
        return self.dot(A, A)

    def gather(self, P: Float[Tensor, "b t q k"], B: Float[Tensor, "b h w d"]) -> Float[Tensor, "b h w d"]:
        r"""Return :math:`\sum_j P_{ij} B_j`."""
        return self.grid(P @ self.halo(B))

    def gather_back(self, P: Float[Tensor, "b t q k"], B: Float[Tensor, "b h w d"]) -> Float[Tensor, "b h w d"]:
        r"""Return :math:`\sum_j P_{ji} B_j`."""
        return self.add_halos(P.transpose(2, 3) @ self.of_nodes(B))

    def gather_both(self, P: Float[Tensor, "b t q k"], B: Float[Tensor, "b h w d"]) -> Float[Tensor, "b h w d"]:
        r"""Return :math:`\sum_j (P_{ij} + P_{ji}) B_j`."""
        return self.gather(P, B) + self.gather_back(P, B)

    def of_nodes(self, x: Float[Tensor, "b h w d"]) -> Float[Tensor, "b t q d"]:
        """Return numbers of nodes, tile by tile."""
        x = F.pad(x, (0, 0, 0, self.extra[1], 0, self.extra[0]))
        b, d = len(x), x.shape[3]
        return x.reshape(b, self.down, TILE, self.across, TILE, d).transpose(2, 3).reshape(b, -1, TILE * TILE, d)

    def grid(self, tiles: Float[Tensor, "b t q d"]) -> Float[Tensor, "b h w d"]:
        """Invert `of_nodes`."""
        (h, w), b = self.size, len(tiles)
        x = tiles.reshape(b, self.down, self.across, TILE, TILE, -1).transpose(2, 3)
        return x.reshape(b, self.down * TILE, self.across * TILE, -1)[:, :h, :w]

    def halo(self, x: Float[Tensor, "b h w d"]) -> Float[Tensor, "b t k d"]:
        """Return all that each tile's nodes may see; 0 outside the grid."""
        r = self.radius
        around = F.pad(x, (0, 0, r, r + self.extra[1], r, r + self.extra[0]))
        tiles = around.unfold(1, self.side, TILE).unfold(2, self.side, TILE)  # b rows columns d side side
        return tiles.permute(0, 1, 2, 4, 5, 3).reshape(len(x), -1, self.side**2, x.shape[3])

    def add_halos(self, halos: Float[Tensor, "b t k d"]) -> Float[Tensor, "b h w d"]:
        """Apply the adjoint of `halo`: every node sums what all tiles that see it hold for it."""
        (h, w), r, side = self.size, self.radius, self.side
        b, d = len(halos), halos.shape[3]
        beyond = -(-side // TILE) - 1
        total = halos.new_zeros(b, (self.down + beyond) * TILE, (self.across + beyond) * TILE, d)
        halos = halos.view(b, self.down, self.across, side, side, d).transpose(2, 3)  # b rows side columns side d
        for y in range(0, side, TILE):
            for x in range(0, side, TILE):
                part = halos[:, :, y : y + TILE, :, x : x + TILE]
                place = total[:, y : y + self.down * TILE, x : x + self.across * TILE]
                place = place.unflatten(2, (self.across, TILE)).unflatten(1, (self.down, TILE))
                place[:, :, : part.shape[2], :, : part.shape[4]] += part
        return total[:, r : r + h, r : r + w]
