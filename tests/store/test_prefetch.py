"""Loading ahead keeps the order, loads each item once and passes errors on."""

import pytest

from wsss_stages.store.prefetch import Ahead


def test_items_come_in_order_with_what_was_loaded_of_them():
    loaded = []

    def load(item):
        loaded.append(item)
        return item * item

    ahead = Ahead(list(range(7)), load)
    assert len(ahead) == 7
    assert list(ahead) == [(n, n * n) for n in range(7)]
    assert sorted(loaded) == list(range(7))
    assert list(Ahead([], load)) == []


def test_what_fails_while_loading_fails_at_its_item():
    def load(item):
        if item == 1:
            raise ValueError("image 1 is damaged")
        return item

    seen = []
    with pytest.raises(ValueError, match="image 1 is damaged"):
        for item, _ in Ahead([0, 1, 2], load):
            seen.append(item)
    assert seen == [0]
