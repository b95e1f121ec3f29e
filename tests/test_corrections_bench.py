"""The benchmark of corrections: scores by counting pixels anew, orders and minutes by hand, and the loop on the toy."""

import numpy as np
import pytest

from bench import corrections as bench
from wsss_stages.data.index import Index
from wsss_stages.evaluation import metrics
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import contracts


def made(ious, seconds):
    """Images of 100 pixels of background and 100 of class 1, of which a share is labelled 1."""
    labels = np.array([[[100, 0], [100 - round(100 * iou), round(100 * iou)]] for iou in ious])
    truth = np.array([[[100, 0], [0, 100]]] * len(ious))
    return bench.Measured([f"i{n}" for n in range(len(ious))], labels, truth, np.array(ious), np.array(seconds, float))


def test_worst_first_beats_chance_where_scores_know_the_worst():
    rng = np.random.default_rng(5)
    ious = rng.uniform(0.3, 1, 200)
    measured = made(ious, 5 + 79 * (1 - ious))
    doubts = ious + rng.normal(0, 0.1, 200)
    ways = bench.orders(measured, [measured.ids[n] for n in np.argsort(doubts)])
    start, (worst,), chance = measured.miou([]), *((ways[name]) for name in ("review first", "random"))
    for n in (20, 60):
        gain = bench.curve(measured, worst, [n])[0]
        others = [bench.curve(measured, order, [n])[0] for order in chance]
        assert gain[1] > max(other[1] for other in others) + 1 and gain[0] > max(other[0] for other in others)
        same = [bench.at_minutes(measured, order, gain[0]) for order in chance]
        assert start < max(same) < gain[1]
    assert bench.curve(measured, ways["true IoU"][0], [20])[0][1] >= bench.curve(measured, worst, [20])[0][1]


def test_minutes_and_scores_by_hand():
    measured = made([0.5, 1.0, 0.2], [60, 30, 90])
    assert measured.minutes([0, 2]) == 2.5 and bench.at_minutes(measured, [2, 0, 1], 2.4) == measured.miou([2])
    assert measured.miou([0]) == pytest.approx(100 * ((100 + 100 + 20) / 300 + 300 / 380) / 2)


def test_labels_of_the_toy_get_better_by_what_counting_anew_finds(toy, capsys):
    index = Index.read(toy.index)
    manifest = Manifest([toy.manifest("s6_propagate")])
    measured = bench.measure(index, manifest, contracts.PSEUDO, 5, 79)
    order = bench.orders(measured, bench.review_first(toy.root / "s9_review/review_first.csv"))["review first"][0]
    assert len(order) == 8 and (measured.seconds > 5).all() and (measured.seconds < 5 + 79 * 20).all()
    corrected = {measured.ids[n] for n in order[:2]}
    counts = 0
    for record in index.split("train"):
        truth = record.known_truth(index.root)
        label = truth if record.id in corrected else manifest.read(record.id, contracts.PSEUDO)["label"]
        counts = counts + metrics.confusion(truth, np.where(label == 255, 0, label), len(index.classes))
    assert measured.miou(order[:2]) == pytest.approx(100 * metrics.mean_iou(counts))
    steps = [
        measured.miou(order[:n]) for n in range(9)
    ]  # a correction adds right pixels to a class, or takes wrong ones away
    assert steps == sorted(steps) and steps[2] > steps[0] and steps[8] == pytest.approx(100)
