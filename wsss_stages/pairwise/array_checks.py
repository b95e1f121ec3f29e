"""Checks of arrays at the entries of public functions, before compiled loops that check nothing run past their end."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

FLOATING = ("float32", "float64", "float16", "bfloat16")
INTEGER = ("int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64")

EMPTY = "k"
"""The only axis that may have no entry: boxes, or classes, of an image."""


def check_arrays(
    where: str, sizes: Mapping[str, int] | None = None, **wanted: tuple[Any, str, tuple[str, ...]]
) -> None:
    """Raise ValueError unless arrays of NumPy have the wanted axes and types.

    Args:
        where: the function, for the message.
        sizes: those that are known before.
        wanted: of each array's name the array, its axes and its possible types. Equal letters are equal sizes, a number is
            that size; no axis but `k` may be empty.
    """
    _check(where, np.ndarray, "an array", sizes or {}, wanted)


def check_tensors(
    where: str, sizes: Mapping[str, int] | None = None, device: Any = None, **wanted: tuple[Any, str, tuple[str, ...]]
) -> None:
    """Raise ValueError unless tensors have the wanted axes and types, as `check_arrays` says, on one kind of device.

    `device`: a torch.device; that of the first tensor if not given. Values are not checked, so that there is no wait for a GPU.
    """
    import torch  # those who call have it; NumPy's need not wait for it

    _check(where, torch.Tensor, "a tensor", sizes or {}, wanted)
    for name, (x, _, _) in wanted.items():
        device = device or x.device
        if x.device.type != device.type:
            raise ValueError(f"{where}: found {name} on {x.device}; wanted it on {device}. Move it there with .to(...)")


def type_of(x: Any) -> str:
    """Return the name of an array's type, without its library."""
    return _name(x.dtype)


@functools.cache
def _name(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


def _check(where: str, family: type, called: str, sizes: Mapping[str, int], wanted: dict[str, tuple]) -> None:
    known = dict(sizes)
    for name, (x, axes, types) in wanted.items():
        letters = axes.split()
        before = {axis: known[axis] for axis in letters if axis in known}
        fits = isinstance(x, family) and type_of(x) in types and x.ndim == len(letters)
        if not fits or not all(
            n == (int(axis) if axis.isdigit() else known.setdefault(axis, n)) and (n > 0 or axis == EMPTY)
            for axis, n in zip(letters, x.shape, strict=True)
        ):
            found = f"{type_of(x)} {tuple(x.shape)}" if isinstance(x, family) else type(x).__name__
            given = f" with {', '.join(f'{axis} = {n}' for axis, n in before.items())}" if before else ""
            raise ValueError(
                f"{where}: found {name} {found}; wanted {called} of {' or '.join(types)} ({', '.join(letters)}){given}"
            )
