"""The demo's scenes and the training views."""

import hashlib

import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.data.augment import augment, colour
from wsss_stages.data.importers.scenes import make_scenes
from wsss_stages.data.importers.voc import import_voc


def digest(root):
    files = sorted(p for p in root.rglob("*") if p.is_file())
    return hashlib.sha256(b"".join(p.name.encode() + p.read_bytes() for p in files)).hexdigest()


def test_scenes_are_deterministic_and_complete(tmp_path):
    for name in "ab":
        make_scenes(tmp_path / name, 6, 2)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    index = import_voc("scenes", tmp_path / "a")
    assert [len(ids) for ids in index.splits.values()] == [6, 2] and len(index.classes) == 5
    for record in index.records.values():
        truth = record.truth_labels(index.root)
        assert set(record.tags) == set(np.unique(truth)) - {0, UNKNOWN}
        assert record.points and record.scribbles and record.instances
        for (x0, y0, x1, y1), c in zip(record.boxes, record.box_classes, strict=True):
            assert (truth[y0:y1, x0:x1] == c).any()
        for x, y, c in record.points:
            assert truth[y, x] in (c, UNKNOWN)


def test_image_and_labels_move_together():
    image = np.zeros((30, 40, 3), np.uint8)
    image[5:15, 10:30] = 255
    labels = (image[..., 0] > 0).astype(np.uint8)
    for seed in range(5):
        view, moved, valid = augment(image, labels, np.random.default_rng(seed), 36, 0.9, 1.2, jitter=0.0)
        assert view.shape == (36, 36, 3) and moved.shape == valid.shape == (36, 36)
        assert (moved[~valid] == UNKNOWN).all() and (view[~valid] == np.float32(0.45)).all()
        agree = (view[valid][:, 0] > 0.5) == (moved[valid] == 1)
        assert agree.mean() > 0.97


def test_layers_move_as_each_of_them_alone():
    rng = np.random.default_rng(0)
    image, layers = rng.integers(0, 255, (30, 40, 3)).astype(np.uint8), rng.integers(0, 9, (3, 60, 80)).astype(np.uint8)

    def moved(labels, seed):
        return augment(image, labels, np.random.default_rng(seed), 36, 0.7, 1.3)[1]

    for seed in range(3):
        np.testing.assert_array_equal(moved(layers, seed), np.stack([moved(layer, seed) for layer in layers]))


def test_a_fitted_view_shows_the_whole_image_at_scale_one():
    image = np.random.default_rng(0).integers(0, 255, (90, 120, 3)).astype(np.uint8)
    labels = np.arange(120, dtype=np.uint8)[None].repeat(90, 0)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        _, moved, valid = augment(image, labels, rng, 60, jitter=0.0, fit=True)
        assert valid.sum() == 45 * 60 and np.ptp(moved[valid].astype(int)) >= 118
        _, moved, valid = augment(image, labels, rng, 60, jitter=0.0)
        assert valid.all() and np.ptp(moved.astype(int)) == 59


def test_scales_are_drawn_between_the_two_that_are_given():
    image = np.random.default_rng(0).integers(0, 255, (40, 40, 3)).astype(np.uint8)

    def sides(low, high):
        """Return the sides of the whole image in crops that are larger than it."""
        views = (augment(image, None, np.random.default_rng(seed), 100, low, high) for seed in range(6))
        return [int(valid.any(axis=0).sum()) for _, _, valid in views]

    assert set(sides(0.5, 0.5)) == {20} and set(sides(2.0, 2.0)) == {80} and set(sides(1.0, 1.0)) == {40}
    drawn = sides(0.5, 2.0)
    assert 20 <= min(drawn) < 32 and 68 < max(drawn) <= 80 and len(set(drawn)) > 3


def test_a_view_depends_on_its_generator_alone():
    image = np.random.default_rng(0).integers(0, 255, (30, 40, 3)).astype(np.uint8)
    views = [augment(image, None, np.random.default_rng(3), 20)[0] for _ in range(2)]
    assert np.array_equal(*views)


def test_hue_turns_and_is_drawn_last():
    image = np.zeros((20, 20, 3), np.float32)
    image[..., 0] = 0.5
    plain, turned = (colour(image, np.random.default_rng(4), 0.0, hue) for hue in (0.0, 60.0))
    draws = np.random.default_rng(4)
    draws.uniform(0, 1, 3)
    angle = draws.uniform(-60, 60)
    rgb = (0.5, 0.5 * angle / 60, 0) if angle > 0 else (0.5, 0, -0.5 * angle / 60)
    np.testing.assert_allclose(plain, image)
    np.testing.assert_allclose(turned[0, 0], rgb, atol=1e-3)


def test_grey_has_no_hue_to_turn():
    grey = np.full((4, 4, 3), 0.3, np.float32)
    np.testing.assert_allclose(colour(grey, np.random.default_rng(0), 0.0, 90.0), grey, atol=1e-5)


def test_without_draws_the_whole_image_is_shown_as_it_is():
    rng = np.random.default_rng(0)
    image, labels = rng.integers(0, 255, (30, 40, 3)).astype(np.uint8), rng.integers(0, 9, (30, 40)).astype(np.uint8)
    view, moved, valid = augment(image, labels, None, 48, 0.5, 0.6, hue=30.0)
    assert valid.sum() == 30 * 40 and valid[9:39, 4:44].all()
    np.testing.assert_allclose(view[9:39, 4:44], image.astype(np.float32) / 255)
    np.testing.assert_array_equal(moved[9:39, 4:44], labels)
    assert (moved[~valid] == UNKNOWN).all()
    for fit in (False, True):
        view, moved, valid = augment(image, labels, None, 20, 1.5, 2.0, fit=fit)
        assert valid.sum() == 15 * 20 and valid[2:17].all()
