"""The choice of the fastest way to compute products of a grid with its windows on a device."""

import torch
from torch import Tensor

from wsss_stages.pairwise.compiled import CompiledWindows
from wsss_stages.pairwise.tiles import Tiles

Products = CompiledWindows | Tiles


def products(size: tuple[int, int], window: list[tuple[int, int]], like: Tensor) -> Products:
    """Return compiled loops for float32 on a CPU, matrix products of tiles elsewhere."""
    compiled = like.device.type == "cpu" and like.dtype == torch.float32
    return CompiledWindows(window) if compiled else Tiles(size, window)
