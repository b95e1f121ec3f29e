"""Batches made ahead by threads: reading and augmenting leave the interpreter free, and threads share its memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import torch

AHEAD = 2
"""Batches that every thread may be ahead."""


def made_ahead(make: Callable[[list], dict], keys: Iterable[list], threads: int) -> Iterator[dict]:
    """`make` of every key, in order; without threads one after the other, when asked for."""
    if not threads:
        yield from map(make, keys)
        return
    rest = iter(keys)
    pool = ThreadPoolExecutor(threads)
    try:
        pending = deque(pool.submit(make, key) for key in islice(rest, AHEAD * threads))
        while pending:
            batch = pending.popleft().result()
            pending.extend(pool.submit(make, key) for key in islice(rest, 1))
            yield batch
    finally:
        pool.shutdown(cancel_futures=True)


def collate(samples: list[dict]) -> dict:
    """One dictionary of stacked arrays, as tensors; arrays of several shapes stay a list of tensors, texts a list."""
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
