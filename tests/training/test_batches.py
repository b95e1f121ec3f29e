"""Batches made ahead: in order, not too far ahead, and with the errors of those that make them."""

import time

import numpy as np
import pytest
import torch

from wsss_stages.training.batches import AHEAD, collate, made_ahead


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_order_is_that_of_the_keys_however_long_each_takes(threads):
    def make(key):
        time.sleep(0.01 * (key[0] % 3 == 0))
        return {"key": key[0]}

    assert [b["key"] for b in made_ahead(make, ([k] for k in range(12)), threads)] == list(range(12))


def test_no_more_is_made_than_threads_may_be_ahead():
    asked = []

    def keys():
        for key in range(100):
            asked.append(key)
            yield [key]

    made = made_ahead(lambda key: {"key": key}, keys(), 2)
    for _ in range(5):
        next(made)
    assert len(asked) == 5 + AHEAD * 2
    made.close()


@pytest.mark.parametrize("threads", [0, 2])
def test_an_error_comes_with_its_batch(threads):
    def make(key):
        if key == [2]:
            raise ValueError("damaged")
        return {"key": key}

    made = made_ahead(make, ([k] for k in range(5)), threads)
    assert [next(made), next(made)] == [{"key": [0]}, {"key": [1]}]
    with pytest.raises(ValueError, match="damaged"):
        next(made)


def test_arrays_are_stacked_and_texts_listed():
    batch = collate([{"id": name, "x": np.full((2, 3), k, np.float32)} for k, name in enumerate("ab")])
    assert batch["id"] == ["a", "b"]
    assert batch["x"].shape == (2, 2, 3) and batch["x"].dtype == torch.float32 and batch["x"][1, 0, 0] == 1


def test_arrays_of_several_shapes_stay_a_list():
    first, second = {"x": np.zeros(3), "y": np.zeros((2, 3))}, {"x": np.ones(3), "y": np.ones((0, 3))}
    batch = collate([first, second])
    assert batch["x"].shape == (2, 3) and [tuple(y.shape) for y in batch["y"]] == [(2, 3), (0, 3)]
    assert isinstance(batch["y"][0], torch.Tensor)
