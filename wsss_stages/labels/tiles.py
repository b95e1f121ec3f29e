"""Maps that are made in overlapping tiles and blended, of which only strips are in memory at once."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

ALIGN = 128
"""Tiles begin at multiples of it, so that nodes of a network at strides up to 32 lie alike in all of them, at scales of quarters too."""

Span = tuple[int, int]
Maker = Callable[[Span, Span], Float[Tensor, "c y x"]]
"""Makes the map of rows and columns, each a first and the one after the last."""


def spans(total: int, tile: int, overlap: int) -> list[Span]:
    """Return spans of at most `tile` that cover `total`, evenly spread; neighbours share at least `overlap`.

    Args:
        overlap: at most tile - ALIGN.
    """
    if total <= tile:
        return [(0, total)]
    if tile - overlap < ALIGN:
        raise ValueError(f"tiles of {tile} with overlap {overlap}: wanted at least {ALIGN} less overlap than the tile")
    last = -(-(total - tile) // ALIGN) * ALIGN
    count = 2
    while True:
        starts = [number * last // (count - 1) // ALIGN * ALIGN for number in range(count)]
        if all(after - before <= tile - overlap for before, after in pairwise(starts)):
            return [(start, min(start + tile, total)) for start in starts]
        count += 1


def shares(parts: list[Span]) -> list[Float[Tensor, "n"]]:
    """Return the weight of each part at its places: the sum over parts is 1 everywhere.

    It is 0 in the outer quarter of what two neighbours share, where a network knows least of what lies around, grows over the middle
    half and is 1 in the inner quarter. At the ends of the whole a part keeps its weight.
    """
    total = parts[-1][1]
    ramps = []
    for number, (start, stop) in enumerate(parts):
        place = torch.arange(start, stop) + 0.5
        ramp = torch.ones(stop - start)
        if number:
            ramp = _grown((place - start) / (parts[number - 1][1] - start))
        if stop < total:
            ramp = ramp.minimum(_grown((stop - place) / (stop - parts[number + 1][0])))
        ramps.append(ramp)
    sums = torch.zeros(total)
    for (start, stop), ramp in zip(parts, ramps, strict=True):
        sums[start:stop] += ramp
    return [ramp / sums[start:stop] for (start, stop), ramp in zip(parts, ramps, strict=True)]


def _grown(depth: Float[Tensor, "n"]) -> Float[Tensor, "n"]:
    """Return the weight at a depth into what two neighbours share, of which the whole is 1."""
    return (2 * depth - 0.5).clamp(0, 1)


def blended(
    size: tuple[int, int], tile: int, overlap: int, make: Maker
) -> Iterator[tuple[int, int, Float[Tensor, "c y x"]]]:
    """Yield the first row and column of every block of the blended map, and the block; each pixel is in one block.

    In memory are a tile and a strip of `overlap` along the shorter side.

    Args:
        size: rows and columns of the map.
    """
    if size[0] < size[1]:
        turned = _blended(size[::-1], tile, overlap, lambda rows, columns: make(columns, rows).transpose(1, 2))
        yield from ((x, y, block.transpose(1, 2)) for y, x, block in turned)
    else:
        yield from _blended(size, tile, overlap, make)


def _blended(size, tile, overlap, make) -> Iterator[tuple[int, int, Tensor]]:
    rows, columns = (spans(total, tile, overlap) for total in size)
    down, across = shares(rows), shares(columns)
    above: Tensor | None = None
    for k, (top, bottom) in enumerate(rows):
        done = rows[k + 1][0] if k + 1 < len(rows) else bottom
        below = None
        before: Tensor | None = None
        for j, (left, right) in enumerate(columns):
            P = make((top, bottom), (left, right))
            P = P * (down[k][:, None] * across[j]).to(P)
            if before is not None:
                P[:, :, : before.shape[2]] += before
            stop = columns[j + 1][0] if j + 1 < len(columns) else right
            before = P[:, :, stop - left :]
            block = P[:, :, : stop - left]
            if above is not None:
                block[:, : above.shape[1]] += above[:, :, left:stop]
            if below is None:
                below = P.new_empty(len(P), bottom - done, size[1])
            below[:, :, left:stop] = block[:, done - top :]
            yield top, left, block[:, : done - top]
        above = below
