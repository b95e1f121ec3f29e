"""Repeat-factor sampling: factors by loops, how often images are drawn, and the same draws each time."""

import json
from math import sqrt

import numpy as np
import pytest
import torch

from wsss_stages import training
from wsss_stages.config.options import Training
from wsss_stages.training import repeats, sampling, shares

CLASSES = [[1], [1, 2], [1], [], [3, 1], [1], [1, 1], [2]]


def test_factors_are_those_of_the_paper():
    expected = []
    for of_image in CLASSES:
        frequencies = [sum(c in other for other in CLASSES) / len(CLASSES) for c in of_image]
        expected.append(max([1.0, *(sqrt(0.5 / f) for f in frequencies)]))
    found = training.repeat_factors(CLASSES, 0.5)
    np.testing.assert_allclose(found, expected)
    assert found[4] == pytest.approx(2) and found[0] == 1 and found[3] == 1
    assert training.repeat_factors(CLASSES, 0.0) is None


def test_every_image_comes_as_often_as_its_factor_says():
    factors = training.repeat_factors(CLASSES, 0.5)
    counts = np.zeros(8)
    for seed in range(400):
        positions, before = repeats.drawn(factors, np.random.default_rng(seed))
        assert len(positions) == 8
        times = np.bincount(positions, minlength=8)
        expected = 8 * factors / factors.sum()
        assert (times >= np.floor(expected)).all() and (times <= np.ceil(expected)).all()
        for place in range(8):
            assert sorted(before[positions == place]) == list(range(times[place]))
        counts += times
    np.testing.assert_allclose(counts / 400, expected, atol=0.08)


def job(factors, seen):
    torch.manual_seed(0)
    network = torch.nn.Linear(2, 1)

    def sample(item, rng):
        x = rng.random(2, np.float32)
        seen.append((item, tuple(x.tolist())))
        return {"x": x}

    def loss(batch):
        return {"square": network(batch["x"]).square().mean()}

    options = Training(batch_size=2, lr=0.01, workers=0, precision="float32")
    groups = [(list(network.parameters()), 1.0)]
    return training.Job(
        "s7_segment", network, groups, list(range(8)), str, sample, loss, 3, options, "a", factors=factors
    )


def test_an_epoch_stays_as_long_and_draws_of_an_image_differ(tmp_path):
    factors, seen = np.array([1, 1, 1, 1, 1, 1, 1, 9.0]), []
    training.fit(job(factors, seen), tmp_path / "w.safetensors", {}, "cpu")
    assert len(json.loads((tmp_path / "curve.json").read_text())["steps"]) == 12
    own = [x for item, x in seen if item == 7]
    assert 12 <= len(own) <= 15 and len(set(own)) == len(own)


def test_draws_follow_from_the_step():
    factors = training.repeat_factors(CLASSES, 0.5)
    made = job(factors, [])
    whole = list(sampling.order(made, 0, shares.rows(2, 1)))
    assert whole[5:] == list(sampling.order(made, 5, shares.rows(2, 1))) and len(whole) == 12
    assert {draw.epoch for draw in whole[4]} == {1} and whole[0] != whole[4]
