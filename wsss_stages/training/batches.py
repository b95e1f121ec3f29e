"""Batches of samples: stacked, and moved to a device."""

import numpy as np
import torch

AHEAD = 2
"""Batches that every thread prefetches; reading and augmenting leave the interpreter free, and threads share its memory."""


def collate(samples: list[dict]) -> dict:
    """Return one dictionary of stacked arrays, as tensors; arrays of several shapes stay a list of tensors, texts a
    list.
    """
    batch: dict = {}
    for name, first in samples[0].items():
        values = [sample[name] for sample in samples]
        if isinstance(first, np.ndarray):
            one_shape = all(value.shape == first.shape for value in values)
            batch[name] = torch.from_numpy(np.stack(values)) if one_shape else [torch.from_numpy(v) for v in values]
        else:
            batch[name] = values
    return batch


def to_device(value, device: str):
    """Return a value of a batch with its tensors on the device."""
    if isinstance(value, list):
        return [to_device(one, device) for one in value]
    return value.to(device, non_blocking=True) if isinstance(value, torch.Tensor) else value
