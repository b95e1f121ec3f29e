"""Windows of neighbours on a grid: the offsets, and the values at them."""

import torch
import torch.nn.functional as F
from jaxtyping import Shaped
from torch import Tensor


def offsets(radius: int, window: str, half: bool = False) -> list[tuple[int, int]]:
    """Return (dy, dx) of a window in reading order.

    Args:
        window: `square` of side 2r+1, or `disc` of all offsets no longer than r (Eq. 3.7).
        half: without (0, 0) and with only one of each two opposite offsets, so that a pair is met once.
    """
    if window not in ("square", "disc"):
        raise ValueError(f"window is {window!r}; wanted 'square' or 'disc'")
    reach = range(-radius, radius + 1)
    found = [(dy, dx) for dy in reach for dx in reach if window == "square" or dy * dy + dx * dx <= radius * radius]
    return [o for o in found if o > (0, 0)] if half else found


def reach(window: list[tuple[int, int]]) -> int:
    """Return the largest |dy| or |dx| of the offsets."""
    return max((max(abs(dy), abs(dx)) for dy, dx in window), default=0)


def padded(x: Shaped[Tensor, "... h w"], radius: int, fill: float) -> Shaped[Tensor, "... y x"]:
    """Return `x` with a border of `radius` nodes of `fill`."""
    return F.pad(x, (radius,) * 4, value=fill)


def look(x_padded: Shaped[Tensor, "... y x"], radius: int, dy: int, dx: int) -> Shaped[Tensor, "... h w"]:
    """Return the values at (dy, dx) from every node, a view of `padded(x, radius, fill)`."""
    h, w = x_padded.shape[-2] - 2 * radius, x_padded.shape[-1] - 2 * radius
    return x_padded[..., radius + dy : radius + dy + h, radius + dx : radius + dx + w]


def neighbours(x: Shaped[Tensor, "... h w"], window: list[tuple[int, int]], fill: float) -> Shaped[Tensor, "n ... h w"]:
    """Return every offset's neighbour of every node; `fill` outside the grid. For few channels: it is n copies of x."""
    r = reach(window)
    around = padded(x, r, fill)
    return torch.stack([look(around, r, dy, dx) for dy, dx in window])


def exists(
    height: int, width: int, window: list[tuple[int, int]], device: torch.device | str
) -> Shaped[Tensor, "n h w"]:
    """Return whether the neighbour at each offset lies on the grid."""
    return neighbours(torch.ones(height, width, device=device), window, 0.0) > 0


def both_ways(
    values: Shaped[Tensor, "b n h w"], half: list[tuple[int, int]]
) -> tuple[Shaped[Tensor, "b m h w"], list[tuple[int, int]]]:
    """Return the numbers of the pairs of a half window for both nodes of each pair, and the whole window; a node
    itself has 0.
    """
    r = reach(half)
    rows = {(0, 0): torch.zeros_like(values[:, 0])}
    for number, (dy, dx) in enumerate(half):
        rows[dy, dx] = values[:, number]
        rows[-dy, -dx] = look(padded(values[:, number], r, 0.0), r, -dy, -dx)
    window = sorted(rows)
    return torch.stack([rows[o] for o in window], dim=1), window
