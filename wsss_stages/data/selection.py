"""Items that are made when they are asked for, so that a million of them take no memory."""

from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from typing import TypeVar, overload

import numpy as np

T = TypeVar("T")


class Selection(Sequence[T]):
    """A sequence of what `get` makes of every key, each time anew: changing an item changes nothing else."""

    def __init__(self, get: Callable[..., T], keys: Sequence | np.ndarray):
        self._get, self._keys = get, keys

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, at: int) -> T: ...

    @overload
    def __getitem__(self, at: slice) -> "Selection[T]": ...

    def __getitem__(self, at):
        return Selection(self._get, self._keys[at]) if isinstance(at, slice) else self._get(self._keys[at])

    def __iter__(self) -> Iterator[T]:
        return map(self._get, self._keys)

    def having(self, test: Callable[[T], object]) -> "Selection[T]":
        """Return the items that pass a test."""
        return self.where(np.fromiter(map(bool, map(test, self)), bool, len(self)))

    def where(self, chosen: np.ndarray) -> "Selection[T]":
        """Return the items that a (n,) bool chooses."""
        keys = self._keys[chosen] if isinstance(self._keys, np.ndarray) else list(compress(self._keys, chosen))
        return Selection(self._get, keys)
