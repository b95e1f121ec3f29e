"""Dense energy against all pairs of a small image, its two gradients, its gate and its padding (Eqs. 2.17-2.21)."""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F

from wsss_stages import UNKNOWN
from wsss_stages.rrm.dense_energy import Agreement, _Agreed, dense_energy

CLASSES = 3
SIGMAS = {"sigma_xy": 6.0, "sigma_rgb": 60.0}


def scene(b=2, h=9, w=11, stripe=0):
    """Logits, image, labels and what is valid; `stripe` columns are padding."""
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(b, CLASSES, h, w, generator=generator)
    coarse = torch.rand(b, 3, 3, 3, generator=generator)
    image = F.interpolate(coarse, (h, w), mode="bilinear", align_corners=False)
    labels = torch.randint(0, CLASSES, (b, h, w), generator=generator).byte()
    labels[:, :, ::2] = UNKNOWN
    valid = torch.ones(b, h, w, dtype=torch.bool)
    valid[:, :, :stripe] = False
    return logits, image, labels, valid


def eq_2_20(logits, image, labels, valid, sigma_xy, sigma_rgb):
    """Mean over valid pixels of S(i) Σ_j G(i, j) Σ_c P^c(i) (1 - P^c(j)), pair by pair, the Gaussian itself."""
    P = logits.softmax(dim=1).permute(0, 2, 3, 1).double().numpy()
    grey = (255 * image).permute(0, 2, 3, 1).double().numpy()
    total, count = 0.0, 0
    for b in range(len(P)):
        pixels = [tuple(i) for i in valid[b].nonzero().tolist()]
        count += len(pixels)
        for i in pixels:
            W, energy = 0.0, 0.0
            for j in pixels:
                place = (i[0] - j[0]) ** 2 + (i[1] - j[1]) ** 2
                colour = ((grey[b][i] - grey[b][j]) ** 2).sum()
                K = math.exp(-place / (2 * sigma_xy**2) - colour / (2 * sigma_rgb**2))
                W += K
                energy += K * (P[b][i] @ (1 - P[b][j]))
            S = 1 - P[b][i].max() if labels[b][i] != UNKNOWN else 1.0
            total += S * energy / W
    return total / count


@pytest.mark.parametrize("stripe", [0, 4])
@pytest.mark.parametrize("sigmas", [SIGMAS, {"sigma_xy": 2.0, "sigma_rgb": 500.0}])
def test_is_nearly_eq_2_20(stripe, sigmas):
    """The tolerance is the difference between the lattice and the Gaussian."""
    made = scene(b=1, stripe=stripe)
    bands = 6 * F.one_hot(torch.arange(11) // 4, CLASSES).T[None, :, None].repeat(1, 1, 9, 1).float()
    for logits in (made[0], bands):
        found = dense_energy(logits, *made[1:], **sigmas, scale=1.0, released_gradient=False)
        assert found.item() == pytest.approx(eq_2_20(logits, *made[1:], **sigmas), rel=0.08)


def agreement(features, released=False):
    return Agreement(features, torch.ones(len(features), dtype=torch.bool), released)


def pixels(n=40):
    torch.manual_seed(0)
    features = 2 * torch.rand(n, 5, dtype=torch.float64)
    P = (2 * torch.randn(n, CLASSES, dtype=torch.float64)).softmax(dim=1)
    known = torch.arange(n) % 3 == 0
    return features, P, known


def dense(features, P, known):
    """The O(N²) form over the lattice's own kernel, written out as a matrix."""
    K = agreement(features).lattice.filter(torch.eye(len(P), dtype=P.dtype))
    G = K / K.sum(dim=1, keepdim=True)
    S = torch.where(known, 1 - P.max(dim=1).values, 1.0).detach()
    pairs = itertools.product(range(len(P)), repeat=2)
    return sum(S[i] * G[i, j] * (1 - P[i] @ P[j]) for i, j in pairs), G, S


def test_value_and_gradient_are_those_of_all_pairs():
    features, P, known = pixels()
    P.requires_grad_()
    expected, _, _ = dense(features, P, known)
    found = agreement(features).energy(P, known)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(torch.autograd.grad(found, P), torch.autograd.grad(expected, P))


def test_the_released_gradient_is_another_of_the_same_value():
    features, P, known = pixels()
    P.requires_grad_()
    exact, released = (agreement(features, how) for how in (False, True))
    assert exact.energy(P, known) == released.energy(P, known)
    _, G, S = dense(features, P.detach(), known)
    (found,) = torch.autograd.grad(released.energy(P, known), P)
    torch.testing.assert_close(found, -2 * S[:, None] * (G @ P.detach()))
    (own,) = torch.autograd.grad(exact.energy(P, known), P)
    assert ((found - own).norm() / own.norm()) > 0.05


def test_gradcheck():
    features, P, known = pixels(12)
    by = agreement(features)
    S = torch.where(known, 0.3, 1.0).double()[:, None]
    assert torch.autograd.gradcheck(lambda P: _Agreed.apply(P, S, by), P.requires_grad_())


def test_certain_agreement_costs_nothing_and_nothing_costs_less():
    features, P, known = pixels()
    by = agreement(features)
    same = torch.zeros_like(P)
    same[:, 1] = 1
    assert by.energy(same, ~known | known).item() == pytest.approx(0, abs=1e-9)
    assert by.energy(same, torch.zeros_like(known)).item() == pytest.approx(0, abs=1e-9)
    for sharpness in (0.1, 1, 10):
        assert by.energy((sharpness * torch.randn_like(P)).softmax(dim=1), known) > 0


def test_a_label_opens_the_gate_as_far_as_its_pixel_is_unsure():
    features, P, known = pixels()
    by = agreement(features)
    all_known, unknown = torch.ones_like(known), torch.zeros_like(known)
    P[:] = torch.tensor([0.7, 0.2, 0.1])
    torch.testing.assert_close(by.energy(P, all_known), 0.3 * by.energy(P, unknown))


def test_padding_neither_counts_nor_speaks_nor_learns():
    logits, image, labels, valid = scene(stripe=4)
    options = {**SIGMAS, "scale": 1.0, "released_gradient": False}
    logits.requires_grad_()
    found = dense_energy(logits, image, labels, valid, **options)
    others = [torch.where(valid.view(2, -1, 9, 11), t, 7 * torch.rand_like(t)) for t in (logits, image)]
    assert dense_energy(*others, labels.masked_fill(~valid, 1), valid, **options) == found
    (gradient,) = torch.autograd.grad(found, logits)
    assert (gradient[..., :4] == 0).all() and (gradient[..., 4:].abs().sum(dim=1) > 0).all()


def test_an_image_without_a_valid_pixel_or_a_batch_without_is_zero():
    logits, image, labels, valid = scene()
    options = {**SIGMAS, "scale": 1.0, "released_gradient": False}
    valid[1] = False
    alone = dense_energy(logits[:1], image[:1], labels[:1], valid[:1], **options)
    torch.testing.assert_close(dense_energy(logits, image, labels, valid, **options), alone)
    assert dense_energy(logits, image, labels, torch.zeros_like(valid), **options) == 0


def test_a_scale_is_a_smaller_image_with_smaller_sigmas():
    logits, image, labels, valid = scene(h=12, w=16)
    options = {"sigma_rgb": 60.0, "released_gradient": False}
    found = dense_energy(logits, image, labels, valid, sigma_xy=6.0, scale=0.5, **options)
    halves = [F.interpolate(t, (6, 8), mode="bilinear", align_corners=False) for t in (logits, image)]
    expected = dense_energy(*halves, labels[:, ::2, ::2], valid[:, ::2, ::2], sigma_xy=3.0, scale=1.0, **options)
    torch.testing.assert_close(found, expected)


def test_a_coarse_map_of_logits_is_enlarged_before_it_is_normalised():
    logits, image, labels, valid = scene(h=12, w=16)
    options = {**SIGMAS, "scale": 1.0, "released_gradient": False}
    coarse = logits[..., ::4, ::4]
    enlarged = F.interpolate(coarse, (12, 16), mode="bilinear", align_corners=False)
    torch.testing.assert_close(
        dense_energy(coarse, image, labels, valid, **options), dense_energy(enlarged, image, labels, valid, **options)
    )


def test_boundaries_along_colours_are_cheaper_than_across():
    image = torch.zeros(1, 3, 8, 12)
    image[..., 6:] = 1
    labels, valid = torch.full((1, 8, 12), UNKNOWN, dtype=torch.uint8), torch.ones(1, 8, 12, dtype=torch.bool)
    along = 4 * torch.cat([1 - image[:, :1], image[:, :1]], dim=1)
    across = along.roll(3, dims=3)
    costs = [
        dense_energy(logits, image, labels, valid, **SIGMAS, scale=1.0, released_gradient=False)
        for logits in (along, across)
    ]
    assert costs[0] < 0.2 * costs[1]
