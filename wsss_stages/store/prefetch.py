"""What takes time to load is loaded in threads while something else is worked on."""

from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Generic, TypeVar

T, U = TypeVar("T"), TypeVar("U")


class Ahead(Generic[T, U]):
    """Items, each with what `load` makes of it; the next `workers` are loaded in threads while one is worked on."""

    def __init__(self, items: Collection[T], load: Callable[[T], U], workers: int = 2):
        self.items, self.load, self.workers = items, load, workers

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[tuple[T, U]]:
        with ThreadPoolExecutor(self.workers) as pool:
            items = iter(self.items)
            coming = deque((item, pool.submit(self.load, item)) for item in islice(items, self.workers))
            while coming:
                item, loading = coming.popleft()
                loaded = loading.result()
                coming.extend((later, pool.submit(self.load, later)) for later in islice(items, 1))
                yield item, loaded
