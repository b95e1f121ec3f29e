"""Prefetching keeps the order, loads every item once, not too far ahead, and raises an error at its item."""

import time

import pytest

from wsss_stages.store.prefetch import Prefetch

THREADS = pytest.mark.parametrize("threads", [0, 1, 3])


@THREADS
def test_items_come_in_order_with_what_was_loaded_of_them_however_long_each_takes(threads):
    loaded = []

    def load(item):
        time.sleep(0.01 * (item % 3 == 0))
        loaded.append(item)
        return item * item

    prefetch = Prefetch(list(range(12)), load, threads)
    assert len(prefetch) == 12
    assert list(prefetch) == [(n, n * n) for n in range(12)]
    assert sorted(loaded) == list(range(12))
    assert list(Prefetch([], load, threads)) == []


@THREADS
def test_no_more_is_asked_for_than_threads_may_be_ahead(threads):
    asked = []

    def items():
        for item in range(100):
            asked.append(item)
            yield item

    prefetch = iter(Prefetch(items(), str, threads, depth=2))
    for _ in range(5):
        next(prefetch)
    assert len(asked) == 5 + 2 * threads
    prefetch.close()


@THREADS
def test_an_error_is_raised_at_its_item(threads):
    def load(item):
        if item == 1:
            raise ValueError("image 1 is damaged")
        return item

    seen = []
    with pytest.raises(ValueError, match="image 1"):
        for item, _ in Prefetch([0, 1, 2], load, threads):
            seen.append(item)
    assert seen == [0]
