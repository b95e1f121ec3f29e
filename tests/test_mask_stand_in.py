"""Masks of known error: what each error does to a square, that draws repeat, and which object a box is of."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

BENCH = Path(__file__).parents[1] / "bench"
BOX = np.array([10, 10, 110, 110])


@pytest.fixture(scope="module")
def stand_in():
    """The script, imported as Python does where it is run."""
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "bench"}
    sys.path.insert(0, str(BENCH))
    yield importlib.import_module("mask_stand_in")
    sys.path.remove(str(BENCH))
    for name in ("mask_stand_in", "quality", "bench"):
        sys.modules.pop(name, None)
    sys.modules.update(hidden)


class Dice:
    """A generator whose first number, which decides on the kind of error, is given."""

    def __init__(self, first, seed=0):
        self.first, self.others = first, np.random.default_rng(seed)

    def random(self):
        return self.first

    def __getattr__(self, name):
        return getattr(self.others, name)


@pytest.fixture
def square():
    """A large square in the box, and another object in its corner."""
    truth, other = np.zeros((2, 120, 120), bool)
    truth[12:108, 12:108] = True
    truth[10:30, 10:30] = False
    other[0:30, 0:30] = True
    return truth, other


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def test_an_outline_is_moved_by_a_few_pixels_and_stays_in_its_box(stand_in, square):
    truth, other = square
    found = [stand_in.spoilt(truth, other[None], BOX, Dice(0.5, seed)) for seed in range(20)]
    assert {kind for _, kind in found} == {"outline"}
    ious = [iou(mask, truth) for mask, _ in found]
    assert 0.8 < min(ious) < max(ious) < 0.99
    inside = stand_in.within(BOX, truth.shape)
    for mask, _ in found:
        wrong = np.argwhere(mask != truth)
        edges = np.argwhere(
            truth & ~np.roll(truth, 1, 0)
            | truth & ~np.roll(truth, 1, 1)
            | ~truth & np.roll(truth, 1, 0)
            | ~truth & np.roll(truth, 1, 1)
        )
        away = np.abs(wrong[:, None] - edges[None]).max(axis=2).min(axis=1)
        assert (
            away.max() < 4 * (stand_in.OUTLINE_PIXELS + (stand_in.OUTLINE_SHARE + stand_in.SHIFT) * 96)
            and not (mask & ~inside).any()
        )


def test_a_part_is_missing_on_one_side_of_a_line(stand_in, square):
    truth, other = square
    mask, kind = stand_in.spoilt(truth, other[None], BOX, Dice(0.999))
    assert kind == "part missing" and 0.45 < mask.sum() / truth.sum() < 0.85
    lost, kept = np.argwhere(truth & ~mask), np.argwhere(mask)
    normals = [np.array([np.cos(a), np.sin(a)]) for a in np.arange(0, 2 * np.pi, 0.02)]
    assert max((lost @ n < (kept @ n).min() + 1).mean() for n in normals) > 0.9


def test_another_object_takes_the_place_of_the_true_one_where_the_box_shows_one(stand_in, square):
    truth, other = square
    dice = stand_in.COMPLEMENT + stand_in.WRONG / 2
    mask, kind = stand_in.spoilt(truth, other[None], BOX, Dice(dice))
    assert kind == "wrong instance" and iou(mask, other & stand_in.within(BOX, truth.shape)) > 0.6
    assert stand_in.spoilt(truth, other[:0], BOX, Dice(dice))[1] == "outline"


def test_the_complement_is_the_rest_of_the_box(stand_in, square):
    truth, other = square
    mask, kind = stand_in.spoilt(truth, other[None], BOX, Dice(0.0))
    assert kind == "complement" and (mask == stand_in.within(BOX, truth.shape) & ~truth).all()


def test_sizes_follow_the_area_and_a_box_of_nothing_stays_empty(stand_in):
    mask = np.zeros((200, 200), bool)
    assert stand_in.size_of(mask) == "small" and not stand_in.spoilt(mask, mask[None], BOX, Dice(0.5))[0].any()
    mask[:32, :32] = True
    assert stand_in.size_of(mask) == "medium"
    mask[:96, :96] = True
    assert stand_in.size_of(mask) == "large"


def test_masks_of_a_folder_are_those_of_its_boxes_and_the_same_every_time(stand_in, toy, tmp_path, monkeypatch):
    from wsss_stages.data.index import Index
    from wsss_stages.data.mask_files import MaskFiles

    for name in ("a", "b"):
        argv = [
            "x",
            str(toy.index),
            "--out",
            str(tmp_path / name),
            "--images",
            "3",
            "--index",
            str(tmp_path / "few.json"),
        ]
        monkeypatch.setattr(sys, "argv", argv)
        stand_in.main()
    records = Index.read(tmp_path / "few.json").split("train")
    assert len(records) == 3
    good = []
    for record in records:
        one, other = (MaskFiles(tmp_path / name).read(record, len(record.boxes)) for name in ("a", "b"))
        truths, void = stand_in.objects_of_boxes(record, Index.read(toy.index))
        for k, mask in enumerate(one):
            assert set(np.unique(mask).tolist()) <= {0, 255} and (mask == other[k]).all()
            good.append(stand_in.iou(mask > 0, truths[k], void))
    assert np.median(good) > 0.6
