"""The choice of the fastest way to compute products of a grid with its windows on a device."""

import torch
from torch import Tensor

from wsss_stages.pairwise import dense
from wsss_stages.pairwise.compiled import CompiledWindows
from wsss_stages.pairwise.dense import Dense
from wsss_stages.pairwise.tiles import Tiles

Products = CompiledWindows | Dense | Tiles


def products(size: tuple[int, int], window: list[tuple[int, int]], like: Tensor) -> Products:
    """Return compiled loops for float32 on a CPU; elsewhere matrices of all pairs while they are few and fit, else products of tiles.

    Args:
        like: numbers of the pairs of every image, images first.
    """
    if like.device.type == "cpu" and like.dtype == torch.float32:
        return CompiledWindows(window)
    if dense.fits(size, len(like), like.element_size(), dense.memory_left(like.device)):
        return Dense(size, window)
    return Tiles(size, window)
