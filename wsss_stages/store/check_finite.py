"""Checks of network outputs for NaN before argmax, which would silently pick NaN."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

T = TypeVar("T", Tensor, np.ndarray)


class NotFiniteError(ValueError):
    """NaN or infinity in values that labels are made from: stage, image, how many, remedy.

    Nothing of that image was written.
    """


def finite(values: T, what: str, stage: str, image: str, made_by: str) -> T:
    """Return the values, if each is a number. Raises NotFiniteError.

    Args:
        what: name of the values.  image: id.  made_by: stage whose weights or artifacts they come from.
    """
    good = torch.isfinite(torch.as_tensor(values))
    if not good.all():
        raise NotFiniteError(
            f"{stage}, image {image}: {int((~good).sum())} of {good.numel()} values of {what} are NaN or infinite, wanted "
            f"numbers; no label of this image was written. Check that the training's curve is finite. Remake their source "
            f"again: snakemake --forcerun {made_by}"
        )
    return values


@contextmanager
def finite_outputs(modules: Iterable[nn.Module], stage: str, image: str, made_by: str) -> Iterator[None]:
    """Check the outputs of parts of a network during the block, for networks that drop NaN on their own.

    Raises as `finite`.
    """

    def look(module: nn.Module, _: object, output: object) -> None:
        for tensor in _tensors(output):
            finite(tensor, type(module).__name__, stage, image, made_by)

    hooks = [module.register_forward_hook(look) for module in modules]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _tensors(output: object) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, list | tuple):
        for one in output:
            yield from _tensors(one)
