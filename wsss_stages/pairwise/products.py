"""Which way to compute products of a grid with its windows suits a device."""

import torch

from wsss_stages.pairwise.compiled import CompiledWindows
from wsss_stages.pairwise.tiles import Tiles

Products = CompiledWindows | Tiles


def products(size: tuple[int, int], window: list[tuple[int, int]], device: torch.device) -> Products:
    """Compiled loops on a CPU, matrix products of tiles elsewhere."""
    return CompiledWindows(window) if device.type == "cpu" else Tiles(size, window)
