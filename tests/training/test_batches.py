"""Samples to batches."""

import numpy as np
import torch

from wsss_stages.training.batches import collate


def test_arrays_are_stacked_and_texts_listed():
    batch = collate([{"id": name, "x": np.full((2, 3), k, np.float32)} for k, name in enumerate("ab")])
    assert batch["id"] == ["a", "b"]
    assert batch["x"].shape == (2, 2, 3) and batch["x"].dtype == torch.float32 and batch["x"][1, 0, 0] == 1


def test_arrays_of_several_shapes_stay_a_list():
    first, second = {"x": np.zeros(3), "y": np.zeros((2, 3))}, {"x": np.ones(3), "y": np.ones((0, 3))}
    batch = collate([first, second])
    assert batch["x"].shape == (2, 3) and [tuple(y.shape) for y in batch["y"]] == [(2, 3), (0, 3)]
    assert isinstance(batch["y"][0], torch.Tensor)
