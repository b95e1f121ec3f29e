"""A grid whose windows are written as matrices of all pairs of nodes, the fastest form on a GPU as long as there are few nodes."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

NODES = 4000
"""Most nodes of a grid: on an H200, 47 x 63 nodes take 0.0041 s dense and 0.0099 s in tiles (docs/cluster.md), and matrices grow with the square."""
MATRICES = 20
"""Matrices of all pairs that a training of three layers has in memory at once, about: cosine, scores, shares, gradients."""


def fits(size: tuple[int, int], images: int, number_bytes: int, left: int) -> bool:
    """Return whether grids of this size are small enough for matrices of all pairs, which have `left` bytes of memory."""
    nodes = size[0] * size[1]
    return nodes <= NODES and MATRICES * images * nodes * nodes * number_bytes <= left


def memory_left(device: torch.device) -> int:
    """Return the bytes that a GPU has left, those that torch keeps for later among them; 0 for any other device."""
    if device.type != "cuda":
        return 0
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


class Dense:
    """The products of `Tiles`, with numbers of pairs as one matrix (N, N) an image, node i by row and neighbour j by column."""

    def __init__(self, size: tuple[int, int], window: list[tuple[int, int]]):
        self.size, self.window = size, window

    def layout(self, values: Float[Tensor, "b n h w"]) -> Float[Tensor, "b 1 i j"]:
        """Return numbers of pairs; 0 outside the window."""
        (h, w), device = self.size, values.device
        place = torch.arange(h * w, device=device)
        y, x = place // w, place % w
        position = torch.full((h * w, h * w), len(self.window), device=device)
        for number, (dy, dx) in enumerate(self.window):
            inside = (y + dy >= 0) & (y + dy < h) & (x + dx >= 0) & (x + dx < w)
            position[place[inside], place[inside] + dy * w + dx] = number
        rows = F.pad(values.flatten(2).transpose(1, 2), (0, 1))  # the last column, 0, is for all other nodes
        return rows.gather(2, position.expand(len(values), -1, -1)).unsqueeze(1)

    def dot(self, A: Float[Tensor, "b h w d"], B: Float[Tensor, "b h w d"]) -> Float[Tensor, "b 1 i j"]:
        """Return A_i · B_j."""
        return (A.flatten(1, 2) @ B.flatten(1, 2).transpose(1, 2)).unsqueeze(1)

    def dot_self(self, A: Float[Tensor, "b h w d"]) -> Float[Tensor, "b 1 i j"]:
        """Return A_i · A_j."""
        return self.dot(A, A)

    def gather(self, P: Float[Tensor, "b 1 i j"], B: Float[Tensor, "b h w d"]) -> Float[Tensor, "b h w d"]:
        r"""Return :math:`\sum_j P_{ij} B_j`."""
        return (P[:, 0] @ B.flatten(1, 2)).view(B.shape)

    def gather_back(self, P: Float[Tensor, "b 1 i j"], B: Float[Tensor, "b h w d"]) -> Float[Tensor, "b h w d"]:
        r"""Return :math:`\sum_j P_{ji} B_j`."""
        return self.gather(P.transpose(2, 3), B)

    def gather_both(self, P: Float[Tensor, "b 1 i j"], B: Float[Tensor, "b h w d"]) -> Float[Tensor, "b h w d"]:
        r"""Return :math:`\sum_j (P_{ij} + P_{ji}) B_j`."""
        return self.gather(P, B) + self.gather_back(P, B)
