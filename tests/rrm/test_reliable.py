"""Reliable regions of a batch: one image at a time, padding, no classes, no CRF (Eqs. 2.3-2.7)."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from wsss_stages import UNKNOWN
from wsss_stages.config.options import Crf, Mining
from wsss_stages.labels import reliable
from wsss_stages.labels.cam import enlarge, normalise, with_background
from wsss_stages.labels.crf import DenseCrf
from wsss_stages.rrm.reliable import label_shares, reliable_regions

OPTIONS = Mining(thresholds="fixed", gamma_high=32, min_cam=0.1).fill(reliable.Mining)
SIDE = 48


def disc(row, column, colour):
    """A bright disc on dark noise, and the CAM (1, 6, 6) of a network that sees it roughly."""
    rng = np.random.default_rng(row)
    image = rng.integers(0, 50, (SIDE, SIDE, 3))
    y, x = np.mgrid[:SIDE, :SIDE]
    image[(y - row) ** 2 + (x - column) ** 2 < 11**2] = colour
    y, x = np.mgrid[4:SIDE:8, 4:SIDE:8]
    cam = np.exp(-((y - row) ** 2 + (x - column) ** 2) / 100).astype(np.float32)
    return np.uint8(image), cam[None]


def batch():
    made = [disc(20, 25, [230, 200, 40]), disc(30, 18, [40, 200, 230])]
    image = torch.from_numpy(np.stack([photo for photo, _ in made])).permute(0, 3, 1, 2) / 255
    cams = [torch.from_numpy(cam) for _, cam in made]
    return image, torch.ones(2, SIDE, SIDE, dtype=torch.bool), cams, [torch.tensor([3]), torch.tensor([1])]


def test_labels_are_the_disc_and_its_surroundings():
    labels = reliable_regions(*batch(), OPTIONS, ["a", "b"])
    y, x = np.mgrid[:SIDE, :SIDE]
    for found, (row, column), c in zip(labels.numpy(), [(20, 25), (30, 18)], [3, 1], strict=True):
        inside = (y - row) ** 2 + (x - column) ** 2 < 11**2
        assert set(np.unique(found)) == {0, c, UNKNOWN}
        assert (found[inside] != 0).all() and (found[~inside] != c).all()
        assert (found == c).sum() > 0.2 * inside.sum() and (found == 0).sum() > 100


def test_each_image_is_what_the_stage_of_seeds_makes_of_its_valid_part():
    image, valid, cams, classes = batch()
    valid[1, :5], valid[1, :, 44:] = False, False
    labels = reliable_regions(image, valid, cams, classes, OPTIONS, ["a", "b"]).numpy()
    for i, part in enumerate([np.s_[:, :], np.s_[5:, :44]]):
        photo = np.ascontiguousarray((image[i] * 255).round().byte().permute(1, 2, 0).numpy()[part])
        cam = normalise(enlarge(cams[i].numpy(), SIDE, SIDE)[:, *part], "max")
        low, high = (with_background(cam, gamma) for gamma in (4.0, 32.0))
        crf = DenseCrf(photo, **OPTIONS.crf.kernels())
        Q_low, Q_high = (crf.infer(torch.from_numpy(s)[None], 10)[0].numpy() for s in (low, high))
        M_I = reliable.agreed(Q_low, Q_high, classes[i].numpy())
        expected = reliable.confident(M_I, high, Q_low, Q_high, classes[i].numpy(), 0.4, 0.1, 0.8, 0.8, True)
        assert np.array_equal(labels[i][part], expected)
        assert (labels[i] != UNKNOWN).sum() == (expected != UNKNOWN).sum()


def test_the_crf_sees_the_photograph_in_grey_levels(monkeypatch):
    seen = []
    monkeypatch.setattr(reliable, "DenseCrf", lambda image, **k: seen.append(image) or DenseCrf(image, **k))
    reliable_regions(*batch(), OPTIONS, ["a", "b"])
    assert np.array_equal(seen[0], disc(20, 25, [230, 200, 40])[0])


def test_one_lattice_serves_both_backgrounds(monkeypatch):
    built = []
    monkeypatch.setattr(reliable, "DenseCrf", lambda *a, **k: built.append(a) or DenseCrf(*a, **k))
    reliable_regions(*batch(), OPTIONS, ["a", "b"])
    assert len(built) == 2


def test_padding_is_unknown_and_does_not_speak():
    image, valid, cams, classes = batch()
    valid[0, :, :9], valid[0, 40:] = False, False
    labels = reliable_regions(image, valid, cams, classes, OPTIONS, ["a", "b"])
    image[0][:, ~valid[0]] = 0.9
    assert torch.equal(labels, reliable_regions(image, valid, cams, classes, OPTIONS, ["a", "b"]))
    assert (labels[0][~valid[0]] == UNKNOWN).all() and (labels[0][valid[0]] != UNKNOWN).any()


def test_the_strongest_node_under_padding_does_not_weaken_the_rest():
    image, valid, cams, classes = batch()
    valid[0, :8] = False
    expected = reliable_regions(image, valid, cams, classes, OPTIONS, ["a", "b"])[0]
    found = reliable_regions(image, valid, [cams[0] / 2, cams[1]], classes, OPTIONS, ["a", "b"])[0]
    assert (expected == found).double().mean() > 0.999 and (found == 3).any()


def test_an_image_without_classes_is_background():
    image, valid, cams, classes = batch()
    labels = reliable_regions(image, valid, [cams[0][:0], cams[1]], [classes[0][:0], classes[1]], OPTIONS, ["a", "b"])
    assert (labels[0] == 0).all() and (labels[1] == 1).any()


@pytest.mark.parametrize("keep", [0.1, 0.5, 1.0])
def test_without_iterations_the_cam_alone_decides_and_no_crf_is_made(monkeypatch, keep):
    monkeypatch.setattr(reliable, "DenseCrf", None)
    image, valid, cams, classes = batch()
    opt = replace(OPTIONS, keep=keep, crf=replace(OPTIONS.crf, iterations=0))
    labels = reliable_regions(image, valid, cams, classes, opt, ["a", "b"])
    for found, cam, c in zip(labels.numpy(), cams, (3, 1), strict=True):
        score = normalise(enlarge(cam.numpy(), SIDE, SIDE), "max")[0]
        background = (1 - score) ** 32
        won = (score > background) & (score > 0.1)
        least = sorted(score[won])[int((1 - keep) * won.sum())] if keep < 1 else -1
        assert np.array_equal(found == c, won & (score > least))
        assert np.array_equal(found == 0, (background > score) & (background > 0.8))


def test_quantiles_are_those_of_the_valid_pixels_of_the_batch():
    image, valid, cams, classes = batch()
    valid[0, :, 30:], valid[1, :9] = False, False
    opt = Mining(background_share=0.4, min_cam=0, keep=1, crf=Crf(iterations=0)).fill(reliable.Mining)
    labels = reliable_regions(image, valid, cams, classes, opt, ["a", "b"]).numpy()
    parts = [np.s_[:, :30], np.s_[9:, :]]
    strengths = [
        normalise(enlarge(c.numpy(), SIDE, SIDE)[:, *part], "max")[0] for c, part in zip(cams, parts, strict=True)
    ]
    weakest = sorted(v for strength in strengths for v in strength.ravel())
    least = weakest[int(0.4 * (len(weakest) - 1))]
    for found, strength, part, c in zip(labels, strengths, parts, (3, 1), strict=True):
        clear = abs(strength - least) > 1e-3
        assert np.array_equal(found[part][clear], np.where(strength < least, 0, c)[clear])
    assert 0.1 < (labels[0][:, :30] == 0).mean() != (labels[1][9:] == 0).mean()


def test_the_curve_tells_shares_of_valid_pixels_and_of_classes():
    labels = torch.full((2, 2, 4), UNKNOWN, dtype=torch.uint8)
    labels[0, 0], labels[1, 0, 0], labels[1, 0, 1] = 0, 3, 5
    valid = torch.ones(2, 2, 4, dtype=torch.bool)
    valid[1, 1] = False
    found = label_shares(labels, valid, [torch.tensor([2]), torch.tensor([3, 5])])
    assert found == {"background_share": 4 / 12, "foreground_share": 2 / 12, "classes_lost": 1 / 3}


def test_nan_names_the_image():
    image, valid, cams, classes = batch()
    cams[1][0, 2, 2] = float("nan")
    with pytest.raises(ValueError, match=r"img_7: .* NaN"):
        reliable_regions(image, valid, cams, classes, OPTIONS, ["a", "img_7"])
