"""Losses of DFR against their printed sums, one pair at a time, hand-made cases and empty sets (Eqs. 4.3-4.13)."""

import itertools
import math

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from wsss_stages import UNKNOWN
from wsss_stages.dfr import losses
from wsss_stages.pairwise.affinity import mean_absolute_difference
from wsss_stages.pairwise.windows import both_ways, offsets

R, SIGMA_XY, SIGMA_RGB, SIGMA_F = 2, 3.0, 0.5, 2.0
HALF = offsets(R, "square", half=True)
B, C, D, H, W = 2, 3, 4, 4, 5


def ordered(h=H, w=W):
    """Return every (i, j) of R (Eq. 4.3) with i != j."""
    pixels = list(itertools.product(range(h), range(w)))
    return [(i, j) for i in pixels for j in pixels if i != j and abs(i[0] - j[0]) <= R and abs(i[1] - j[1]) <= R]


def made(dtype=torch.float32):
    torch.manual_seed(0)
    P = (2 * torch.randn(B, C, H, W, dtype=dtype)).softmax(dim=1)
    F = torch.randn(B, D, H, W, dtype=dtype).relu()
    image = 0.4 * torch.randn(B, 3, H, W, dtype=dtype)
    valid = torch.ones(B, H, W, dtype=torch.bool)
    valid[1, :, 3:] = False
    return P, F, image, valid


def kernel(image, valid, i, j, F=None):
    """K of Eq. 4.6, or K_f of Eq. 4.13 without features."""
    if not (valid[i] and valid[j]):
        return 0.0
    near = ((i[0] - j[0]) ** 2 + (i[1] - j[1]) ** 2) / (2 * SIGMA_XY**2)
    alike = float((image[:, *i] - image[:, *j]).square().sum()) / (2 * SIGMA_RGB**2)
    deep = 0.0 if F is None else float((F[:, *i] - F[:, *j]).square().sum()) / (2 * SIGMA_F**2)
    return math.exp(-near - alike - deep)


def found_kernel(image, valid, F=None):
    K = losses.static_kernel(image, valid, HALF, SIGMA_XY, SIGMA_RGB)
    return K if F is None else K * losses.feature_kernel(F, HALF, SIGMA_F)


@pytest.mark.parametrize("deep", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_l_dfr_is_the_sum_of_eq_4_5_over_pairs_of_classes(deep, dtype):
    P, F, image, valid = made(dtype)
    total = 0.0
    for b, (i, j) in itertools.product(range(B), ordered()):
        K = kernel(image[b], valid[b], i, j, F[b] if deep else None)
        total += K * sum(P[b, c, *i] * P[b, k, *j] for c in range(C) for k in range(C) if c != k)
    K = found_kernel(image, valid, F if deep else None)
    found = losses.regularised_loss(P, K, HALF, valid.sum().to(dtype))
    torch.testing.assert_close(found, total / valid.sum().to(dtype))


def test_gradient_of_l_dfr_is_exact_and_features_of_the_kernel_have_none():
    P, F, image, valid = made(torch.float64)
    F.requires_grad_()
    K = found_kernel(image, valid, F)
    assert not K.requires_grad
    torch.autograd.gradcheck(lambda P: losses.regularised_loss(P, K, HALF, valid.sum().double()), P.requires_grad_())


def test_pixels_that_agree_with_certainty_cost_nothing_and_opposites_all():
    P = torch.zeros(1, 2, 1, 2)
    P[:, 0] = 1
    image, valid = torch.zeros(1, 3, 1, 2), torch.ones(1, 1, 2, dtype=torch.bool)
    K = losses.static_kernel(image, valid, HALF, math.inf, math.inf)
    assert losses.regularised_loss(P, K, HALF, torch.tensor(2.0)) == 0
    P[:, :, 0, 1] = torch.tensor([0.0, 1.0])
    assert losses.regularised_loss(P, K, HALF, torch.tensor(2.0)) == 1  # two ordered pairs over two pixels


def test_a_kernel_term_is_left_out_by_an_infinite_sigma():
    _, _, image, valid = made()
    place = losses.static_kernel(image, valid, HALF, SIGMA_XY, math.inf)
    colour = losses.static_kernel(image, valid, HALF, math.inf, SIGMA_RGB)
    torch.testing.assert_close(place * colour, losses.static_kernel(image, valid, HALF, SIGMA_XY, SIGMA_RGB))
    number = HALF.index((0, 1))
    assert place[0, number, 0, 0].item() == pytest.approx(math.exp(-1 / (2 * SIGMA_XY**2)))
    assert (place[1, number, :, 2:] == 0).all() and (place[0, number, :, -1] == 0).all()  # padding, and the border


def test_both_ways_gives_a_pair_the_same_number_at_either_node():
    values = torch.rand(B, len(HALF), H, W) * losses.pairs(torch.ones(B, H, W, dtype=torch.bool), HALF)
    whole, window = both_ways(values, HALF)
    assert window == offsets(R, "square") and (whole[:, window.index((0, 0))] == 0).all()
    for i, j in ordered():
        ahead, back = ((j[0] - i[0], j[1] - i[1]), (i[0] - j[0], i[1] - j[1]))
        assert torch.equal(whole[:, window.index(ahead), *i], whole[:, window.index(back), *j])
    assert torch.equal(whole[:, [window.index(o) for o in HALF]], values)


def test_confident_labels_are_above_gamma():
    P = torch.tensor([[0.02, 0.97, 0.01], [0.985, 0.01, 0.005], [0.01, 0.001, 0.989]]).T.reshape(1, 3, 1, 3)
    assert losses.confident(P, 0.98).tolist() == [[[UNKNOWN, 0, 2]]]
    assert losses.confident(P, 0.98).dtype == torch.uint8


def labels(seed):
    M = torch.randint(0, 4, (B, H, W), generator=torch.Generator().manual_seed(seed))
    return torch.where(M == 3, UNKNOWN, M).to(torch.uint8)


def eq_4_11(F, M):
    """Three means of logarithms, as printed but for the pair of a pixel with itself."""
    terms = {"bg": [], "fg": [], "apart": []}
    for b, (i, j) in itertools.product(range(B), ordered()):
        if UNKNOWN in (M[b][i], M[b][j]):
            continue
        distance = torch.exp(-(F[b, :, *i] - F[b, :, *j]).abs().sum() / D)
        if M[b][i] != M[b][j]:
            terms["apart"].append(-2 * torch.log(1 - distance + losses.EPS))
        else:
            terms["bg" if M[b][i] == 0 else "fg"].append(-torch.log(distance))
    return sum(torch.stack(values).mean() for values in terms.values() if values)


@pytest.mark.parametrize("seed", range(3))
def test_l_fd_is_eq_4_11(seed):
    _, F, _, _ = made(torch.float64)
    M = labels(seed)
    found = losses.feature_distance_loss(mean_absolute_difference(F, HALF), M, HALF)
    torch.testing.assert_close(found, eq_4_11(F, M))


def test_l_fr_is_eq_4_12_over_all_pairs_or_those_of_eq_4_8():
    _, F, image, valid = made(torch.float64)
    M, K_f = labels(0), found_kernel(image, valid)
    sums = {"all": 0.0, "confident": 0.0}
    for b, (i, j) in itertools.product(range(B), ordered()):
        value = kernel(image[b], valid[b], i, j) * (F[b, :, *i] - F[b, :, *j]).abs().sum() / D
        sums["all"] += value
        sums["confident"] += value * (UNKNOWN not in (M[b][i], M[b][j]))
    pixels, distance = valid.sum().double(), mean_absolute_difference(F, HALF)
    for kind, K in (("all", K_f), ("confident", K_f * losses.pairs(M != UNKNOWN, HALF))):
        found = losses.feature_regularised_loss(distance, K, pixels)
        torch.testing.assert_close(found, sums[kind] / pixels)


def test_gradients_of_the_feature_losses_are_exact():
    _, F, image, valid = made(torch.float64)
    F = torch.randn_like(F).requires_grad_()  # no two equal channels, where |x| has no gradient
    K_f, M = found_kernel(image, valid), labels(1)

    def both(F):
        distance = mean_absolute_difference(F, HALF)
        pixels = valid.sum().double()
        return losses.feature_distance_loss(distance, M, HALF) + losses.feature_regularised_loss(distance, K_f, pixels)

    torch.autograd.gradcheck(both, F)


def test_equal_features_of_two_classes_cost_much_but_not_infinity():
    F = torch.zeros(1, D, 1, 2, requires_grad=True)
    M = torch.tensor([[[0, 1]]], dtype=torch.uint8)
    loss = losses.feature_distance_loss(mean_absolute_difference(F, HALF), M, HALF)
    assert loss.item() == pytest.approx(-2 * math.log(losses.EPS), rel=1e-3)
    assert torch.isfinite(torch.autograd.grad(loss, F)[0]).all()


@pytest.mark.parametrize("value", [UNKNOWN, 0, 1])
def test_empty_sets_give_zero_never_nan(value):
    P, F, image, _ = made()
    nowhere = torch.zeros(B, H, W, dtype=torch.bool)
    K = found_kernel(image, nowhere)
    distance = mean_absolute_difference(F.requires_grad_(), HALF)
    nothing = torch.tensor(1.0)
    assert losses.regularised_loss(P, K, HALF, nothing) == 0
    assert losses.feature_regularised_loss(distance, K, nothing) == 0
    loss = losses.feature_distance_loss(distance, torch.full((B, H, W), value, dtype=torch.uint8), HALF)
    (gradient,) = torch.autograd.grad(loss, F)
    assert torch.isfinite(gradient).all() and (loss == 0 if value == UNKNOWN else loss > 0)


class Largest(TorchDispatchMode):
    """Notes the largest tensor that any operation gives."""

    numbers = 0

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        made = function(*arguments, **(options or {}))
        for tensor in made if isinstance(made, tuple | list) else (made,):
            self.numbers = max(self.numbers, tensor.numel() if isinstance(tensor, torch.Tensor) else 0)
        return made


def test_nothing_as_large_as_features_times_neighbours_is_ever_held():
    """Such a tensor would have a gigabyte at d = 128 for a crop of 512."""
    d, side, half = 64, 24, offsets(5, "square", half=True)
    F = torch.rand(1, d, side, side, requires_grad=True)
    with Largest() as largest:
        distance = mean_absolute_difference(F, half) + losses.feature_kernel(F, half, 50.0)
        distance.sum().backward()
    assert 0 < largest.numbers <= d * (side + 2 * 5) ** 2  # the features with a border
