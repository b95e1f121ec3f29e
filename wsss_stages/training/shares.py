"""The shares of a batch: which items go through the network together, and which of them are a process's own.

A batch goes in parts, and every part is shared by all processes. So another number of processes changes no part: random
draws for a part and the statistics of its norms stay the same.
"""

from itertools import pairwise
from typing import NamedTuple


class Rows(NamedTuple):
    """A process's own items `start` to `end` of a part of `of` items, and the part's `first` item in the batch."""

    first: int
    start: int
    end: int
    of: int

    @property
    def count(self) -> int:
        """Return the number of this process's items."""
        return self.end - self.start


def rows(batch: int, parts: int, rank: int = 0, processes: int = 1) -> list[Rows]:
    """Return a process's items in every part of a batch; parts are of nearly one size, and so are shares.

    There are fewer parts where a process would have no item in some of them. Raises ValueError for fewer items than processes.
    """
    if batch < processes:
        raise ValueError(
            f"a batch of {batch} images cannot be shared by {processes} processes; every process needs one. Use a larger "
            "batch_size, or fewer gpus_per_training"
        )
    ends = _ends(batch, min(parts, batch // processes))
    found = []
    for first, last in pairwise(ends):
        start, end = list(pairwise(_ends(last - first, processes)))[rank]
        found.append(Rows(first, start, end, last - first))
    return found


def own(places: list, shares: list[Rows]) -> list:
    """Return the items of a batch that are a process's own, part after part."""
    return [place for part in shares for place in places[part.first + part.start : part.first + part.end]]


def _ends(count: int, parts: int) -> list[int]:
    return [number * count // parts for number in range(parts + 1)]
