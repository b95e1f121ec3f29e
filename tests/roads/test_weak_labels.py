"""Weak labels of one image made by hand: which kinds are kept, and by which random numbers."""

from pathlib import Path

import numpy as np

from wsss_stages.config.options import SimulateWeak
from wsss_stages.data.index import Index
from wsss_stages.data.record import Record
from wsss_stages.roads.weak_labels import WeakLabeller

RECORD = Record("a", "a.jpg", "", 12, 16, 12, 16)
LABELS = np.zeros((12, 16), np.uint8)
LABELS[2:8, 1:7], LABELS[3:9, 9:15] = 1, 2


def labelled(instances=None, **options) -> WeakLabeller:
    index = Index("toy", Path("none"), ["background", "cat", "dog"], {}, {"a": RECORD})
    labeller = WeakLabeller(index, Path("nowhere"), SimulateWeak(**options))
    labeller.label(RECORD, LABELS, instances)
    return labeller


def test_clicks_are_inside_their_objects_and_tags_are_the_classes():
    found = labelled(kinds=["point"])
    assert [click["cls"] for click in found.points["a"]] == [1, 2]
    assert all(LABELS[click["y"], click["x"]] == click["cls"] for click in found.points["a"])
    assert found.tags["a"] == ["cat", "dog"]


def test_tags_are_kept_without_points():
    assert labelled(kinds=["tag"]).points == {}


def test_numbered_objects_are_clicked_one_by_one():
    numbers = np.zeros_like(LABELS)
    numbers[2:8, 1:4], numbers[2:8, 4:7], numbers[3:9, 9:15] = 1, 2, 3
    assert [click["cls"] for click in labelled(numbers, kinds=["point"]).points["a"]] == [1, 1, 2]


def test_draws_depend_on_seed_and_kind():
    labeller = labelled(kinds=["tag"])
    first, again, other = (labeller.rng(RECORD, kind).random() for kind in ("box", "box", "point"))
    assert first == again != other
    assert labelled(kinds=["tag"], seed=1).rng(RECORD, "box").random() != first
