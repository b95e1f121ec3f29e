"""Batch-based class distance against plain loops, hand-made cases and empty sets (Eqs. 2.22-2.26)."""

import itertools

import pytest
import torch
import torch.nn.functional as F

from wsss_stages import UNKNOWN
from wsss_stages.rrm.class_distance import class_distance

READINGS = ("printed", "centres")


def mean(values):
    return sum(values) / len(values) if len(values) else torch.zeros(())


def cos(a, b):
    return F.cosine_similarity(a, b, dim=0, eps=1e-5)


def eq_2_26(F_m, M_p, classes, reading):
    """The loss read off the page, one pixel and one pair of centres at a time."""
    b, _, h, w = F_m.shape
    places = list(itertools.product(range(b), range(h), range(w)))
    of_class = {c: [F_m[i, :, y, x] for i, y, x in places if M_p[i, y, x] == c] for c in range(1, classes + 1)}
    of_ground = {k: [F_m[i, :, y, x] for i, y, x in places if i == k and M_p[i, y, x] == 0] for k in range(b)}
    fg, bg = ({k: f for k, f in group.items() if f} for group in (of_class, of_ground))
    fg_centre, bg_centre = ({k: mean(f) for k, f in group.items()} for group in (fg, bg))
    ff = mean([1 + cos(fg_centre[p], fg_centre[q]) for p, q in itertools.permutations(fg, 2)])
    fb = mean([1 + cos(fg_centre[p], bg_centre[k]) for p in fg for k in bg])
    pull_fg = {k: [1 - cos(f, fg_centre[k]) for f in fs] for k, fs in fg.items()}
    pull_bg = {k: [1 - cos(f, bg_centre[k]) for f in fs] for k, fs in bg.items()}
    if reading == "printed":
        flat = [list(itertools.chain(*pull.values())) for pull in (pull_fg, pull_bg)]
        return ff + fb + mean(flat[0]) + mean(flat[1])
    return mean([mean(v) for v in (*pull_fg.values(), *pull_bg.values())]) + 0.5 * ff + 0.5 * fb


def features(b=3, d=5, h=3, w=4):
    torch.manual_seed(1)
    return torch.randn(b, d, h, w, dtype=torch.float64)


def predictions(seed, b=3, h=3, w=4):
    generator = torch.Generator().manual_seed(seed)
    M_p = torch.randint(0, 4, (b, h, w), generator=generator)
    M_p[M_p == 3] = 5  # classes 3 and 4 are absent
    M_p[0, 0], M_p[1][M_p[1] == 0] = UNKNOWN, 1  # padding; an image without background
    return M_p


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("seed", range(3))
def test_is_eq_2_26(reading, seed):
    F_m, M_p = features().float(), predictions(seed)
    torch.testing.assert_close(class_distance(F_m, M_p, 6, reading), eq_2_26(F_m, M_p, 6, reading))


@pytest.mark.parametrize("reading", READINGS)
def test_gradient_is_that_of_the_loops_through_centres_too(reading):
    F_m, M_p = features().float().requires_grad_(), predictions(0)
    found, expected = (torch.autograd.grad(f(F_m, M_p, 6, reading), F_m)[0] for f in (class_distance, eq_2_26))
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-4)
    assert (found[0, :, 0] == 0).all() and (found[0, :, 1] != 0).any()  # padding learns nothing


@pytest.mark.parametrize(
    "row, printed, centres",
    [
        ([1, 1, 2, 2], 0.0, 0.0),  # opposite centres, every pixel on its own
        ([1, 2, 1, 2], 2.0, 1.5),  # both centres are 0, whose cosine with anything is 0
        ([1, 1, 0, 0], 0.0, 0.0),
        ([0, 1, 1, 1], 2 / 3, (0 + 2 / 3) / 2),  # one of three foreground pixels points away from their centre
    ],
)
def test_one_image_by_hand(row, printed, centres):
    F_m = torch.tensor([[[[1.0, 1.0, -1.0, -1.0]], [[0.0, 0.0, 0.0, 0.0]]]])
    M_p = torch.tensor([[row]])
    assert class_distance(F_m, M_p, 2, "printed").item() == pytest.approx(printed)
    assert class_distance(F_m, M_p, 2, "centres").item() == pytest.approx(centres)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize(
    "value",
    [UNKNOWN, 0, 2],  # nothing, background only, one class only
)
def test_empty_sets_give_zero_never_nan(reading, value):
    F_m = features().float().requires_grad_()
    M_p = torch.full((3, 3, 4), value)
    loss = class_distance(F_m, M_p, 6, reading)
    (gradient,) = torch.autograd.grad(loss, F_m)
    assert torch.isfinite(loss) and torch.isfinite(gradient).all()
    assert loss.item() == pytest.approx(eq_2_26(F_m, M_p, 6, reading).item())
    assert (loss > 0) == (value != UNKNOWN)


def test_features_of_length_zero_have_a_finite_gradient():
    F_m = torch.zeros(1, 3, 2, 2, requires_grad=True)
    loss = class_distance(F_m, torch.tensor([[[0, 1], [1, 2]]]), 2, "centres")
    assert torch.isfinite(torch.autograd.grad(loss, F_m)[0]).all()


def test_two_images_share_a_class_but_not_the_background():
    """The same features of another image: a shared background centre would lie between them."""
    F_m = torch.tensor([[[[1.0, 0.0]], [[0.0, 1.0]]], [[[-1.0, 0.0]], [[0.0, 1.0]]]])
    ground = class_distance(F_m, torch.tensor([[[0, UNKNOWN]], [[0, UNKNOWN]]]), 1, "centres")
    thing = class_distance(F_m, torch.tensor([[[1, UNKNOWN]], [[1, UNKNOWN]]]), 1, "centres")
    assert ground.item() == pytest.approx(0.0) and thing.item() == pytest.approx(1.0)


def test_half_precision_does_not_round_the_means():
    F_m, M_p = features().float(), predictions(0)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(class_distance(F_m, M_p, 6, "centres"), eq_2_26(F_m, M_p, 6, "centres"))
