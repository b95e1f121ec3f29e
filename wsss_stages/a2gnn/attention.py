"""Affinity attention on a grid (Eqs. 3.17-3.18): windows in tiles, many images at once."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

TILE = 8
"""Side of a tile of nodes that share their keys; 8 measured best among 4, 8 and 16 on two cores."""


class TiledEdges:
    """Edges of b images, laid out for tiles of nodes that attend to a halo of radius r around their tile."""

    def __init__(self, E: Float[Tensor, "b n h w"], window: list[tuple[int, int]], radius: int, beta: float):
        """`E`: Eq. 3.14, 0 where not connected. `window`: the n offsets. `beta`: weight of E in Eq. 3.18."""
        h, w = E.shape[2:]
        self.size, self.radius = (h, w), radius
        self.extra = (-h % TILE, -w % TILE)
        rows = F.pad(E, (0, self.extra[1], 0, self.extra[0])).permute(0, 2, 3, 1)  # b h w n
        rows = F.pad(_queries(rows), (0, 1))  # b tiles q n+1: the last column, 0, is for keys outside the window
        found = rows.gather(3, _offset_of_key(window, radius, E.device).expand(*rows.shape[:3], -1))
        connected = found > 0
        connected |= ~connected.any(dim=3, keepdim=True)  # nodes of the padding see anything: a softmax needs something
        self.support = torch.zeros_like(found).masked_fill_(~connected, float("-inf"))
        self.bias = beta * found + self.support

    def halo(self, H: Float[Tensor, "b h w d"]) -> Float[Tensor, "b t k d"]:
        """All nodes that a tile's nodes may see, tile by tile; 0 outside the image."""
        r = self.radius
        side = TILE + 2 * r
        around = F.pad(H, (0, 0, r, r + self.extra[1], r, r + self.extra[0]))
        tiles = around.unfold(1, side, TILE).unfold(2, side, TILE)  # b ty tx d side side
        return tiles.permute(0, 1, 2, 4, 5, 3).reshape(len(H), -1, side * side, H.shape[3])

    def queries(self, H: Float[Tensor, "b h w d"]) -> Float[Tensor, "b t q d"]:
        """Nodes tile by tile."""
        return _queries(F.pad(H, (0, 0, 0, self.extra[1], 0, self.extra[0])))

    def grid(self, tiles: Float[Tensor, "b t q d"]) -> Float[Tensor, "b h w d"]:
        """Nodes back in their rows."""
        (h, w), (down, right) = self.size, self.extra
        rows, columns = (h + down) // TILE, (w + right) // TILE
        H = tiles.reshape(len(tiles), rows, columns, TILE, TILE, -1).transpose(2, 3)
        return H.reshape(len(tiles), h + down, w + right, -1)[:, :h, :w]


def affinity_attention(
    H: Float[Tensor, "b h w d"], w: Float[Tensor, "b"], edges: TiledEdges
) -> Float[Tensor, "b h w d"]:
    r""":math:`H^{l+1} = P^l H^l` (Eq. 3.17), with P^l the softmax over the connected nodes S(i) of

    .. math:: w^l \cos(H_i, H_j) + \beta\,[\cos(H_i, H_j) > 0]\,E_{ij} \quad\text{(Eq. 3.18)}

    Args:
        H: node features on the grid of each image.  w: w^l, one per image (one network per image).
    """
    inverse = H.norm(dim=3, keepdim=True).clamp(min=1e-7).reciprocal()
    keys = edges.halo(H)
    cos = edges.queries(H * inverse) @ (keys * edges.halo(inverse)).transpose(2, 3)
    score = w.view(-1, 1, 1, 1) * cos + torch.where(cos > 0, edges.bias, edges.support)
    return edges.grid(score.softmax(dim=3) @ keys)


def _queries(x: Tensor) -> Tensor:
    b, h, w, d = x.shape
    return x.reshape(b, h // TILE, TILE, w // TILE, TILE, d).transpose(2, 3).reshape(b, -1, TILE * TILE, d)


def _offset_of_key(window: list[tuple[int, int]], radius: int, device) -> Tensor:
    """(q, k): which offset leads from a tile's node to a key of its halo; n where none does."""
    side = TILE + 2 * radius
    position = torch.full((TILE, TILE, side, side), len(window), device=device)
    place = torch.arange(TILE, device=device)
    for number, (dy, dx) in enumerate(window):
        y, x = torch.meshgrid(place, place, indexing="ij")
        position[y, x, y + radius + dy, x + radius + dx] = number
    return position.view(TILE * TILE, side * side)
