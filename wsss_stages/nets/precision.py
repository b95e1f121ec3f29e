"""The precision of forward passes without gradients, by autocast."""

import torch


def precision(name: str, device: str) -> torch.dtype:
    """Return the type of a precision by name: float32, bfloat16, or auto, which is bfloat16 on a GPU and on CPUs with instructions for it."""
    if name != "auto":
        return getattr(torch, name)
    fast = device != "cpu" or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if fast else torch.float32


def autocast(device: str, dtype: torch.dtype) -> torch.autocast:
    """Return the context in which convolutions and products have this precision."""
    return torch.autocast(torch.device(device).type, dtype, enabled=dtype != torch.float32)
