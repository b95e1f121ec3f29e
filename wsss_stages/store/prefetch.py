"""Items loaded in background threads while the caller works on others."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")


class Prefetch(Generic[T, U]):
    """Items in order, each with the result of `load`."""

    def __init__(self, items: Iterable[T], load: Callable[[T], U], workers: int = 2, depth: int = 1):
        """Start the threads: each of `workers` is at most `depth` items ahead; 0 threads load an item when it is
        asked for.
        """
        self.items, self.load, self.workers, self.depth = items, load, workers, depth

    def __len__(self) -> int:
        return len(self.items)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[tuple[T, U]]:
        items = iter(self.items)
        if not self.workers:
            yield from ((item, self.load(item)) for item in items)
            return
        pool = ThreadPoolExecutor(self.workers)
        try:
            ahead = islice(items, self.depth * self.workers)
            pending = deque((item, pool.submit(self.load, item)) for item in ahead)
            while pending:
                item, loading = pending.popleft()
                loaded = loading.result()
                pending.extend((later, pool.submit(self.load, later)) for later in islice(items, 1))
                yield item, loaded
        finally:
            pool.shutdown(cancel_futures=True)
