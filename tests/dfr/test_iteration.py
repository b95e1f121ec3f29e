"""All terms of Eq. 4.1 in one iteration of training: where they come from, their weights, one gradient."""

from dataclasses import replace
from math import inf

import pytest
import torch
import torch.nn.functional as F

from tests.messages import raises
from wsss_stages import UNKNOWN
from wsss_stages.config.options import Dfr
from wsss_stages.dfr import iteration
from wsss_stages.dfr import losses as terms
from wsss_stages.dfr.net import DfrNet
from wsss_stages.nets import backbones
from wsss_stages.nets.grid import to_pixels
from wsss_stages.nets.segmenter import segmentation_loss
from wsss_stages.pairwise.affinity import mean_absolute_difference
from wsss_stages.pairwise.windows import offsets

OPTIONS = Dfr(features=6, radius=2, sigma_rgb=1.0, sigma_feature=9.0, gamma=0.3).fill(iteration.Settings)
TERMS = {"cross_entropy", "dfr", "feature_distance", "feature_smooth"}
HALF = offsets(2, "square", half=True)


def made(features=6):
    torch.manual_seed(0)
    network = DfrNet(backbones.pyramid("tiny", False), 4, 8, features).train()
    image = F.interpolate(torch.rand(2, 3, 5, 5), (64, 72), mode="bilinear", align_corners=False)
    labels = torch.full((2, 64, 72), UNKNOWN, dtype=torch.uint8)
    labels[0, 10:13, 5:60], labels[0, 40:43, 5:60], labels[1, 20:23, 5:60] = 0, 2, 3
    valid = torch.ones(2, 64, 72, dtype=torch.bool)
    valid[1, 50:] = False
    return network, image, labels, valid


def losses(made, **options):
    torch.manual_seed(1)  # of the dropout
    return iteration.losses(*made, replace(OPTIONS, **options))


def test_every_loss_teaches_and_learning_lowers_their_sum():
    batch = made()
    network = batch[0]
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    sums = []
    for step in range(8):
        found = losses(batch)
        total = sum(found.values())
        assert set(found) == TERMS and torch.isfinite(total)
        if step == 0:
            weight = next(network.backbone.parameters())
            for name, loss in found.items():
                (gradient,) = torch.autograd.grad(loss, weight, retain_graph=True)
                assert torch.isfinite(gradient).all() and gradient.abs().sum() > 0, name
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        sums.append(total.item())
    assert sums[-1] < 0.9 * sums[0]


@pytest.mark.parametrize(
    "weight, term",
    [("dfr_weight", "dfr"), ("distance_weight", "feature_distance"), ("smooth_weight", "feature_smooth")],
)
def test_a_term_has_its_weight(weight, term):
    batch = made()
    once, twice = (losses(batch, **{weight: w}) for w in (0.5, 1.0))
    assert once[term] > 1e-4
    torch.testing.assert_close(twice[term], 2 * once[term])
    without = losses(batch, **{weight: 0.0})
    assert set(without) == (TERMS - {term} if term != "dfr" else {"cross_entropy"})


def test_the_kernel_grows_with_the_ramp_and_the_feature_head_learns_from_the_beginning():
    batch = made()

    def at(ramp):
        torch.manual_seed(1)
        return iteration.losses(*batch, OPTIONS, ramp)

    whole, half, none = map(at, (1.0, 0.5, 0.0))
    torch.testing.assert_close(half["dfr"], whole["dfr"] / 2)
    assert set(none) == TERMS - {"dfr"} and all(torch.equal(none[name], whole[name]) for name in none)


def test_the_bound_may_be_balanced():
    network, image, labels, _ = batch = made()
    plain, balanced = (losses(batch, balanced_ce=choice)["cross_entropy"] for choice in (False, True))
    torch.manual_seed(1)
    logits = network(backbones.normalise(image))
    P = to_pixels(logits, network.grid, tuple(labels.shape[1:])).log_softmax(dim=1)
    lost = {"ground": [], "thing": []}
    for b, y, x in (labels != UNKNOWN).nonzero().tolist():
        c = int(labels[b, y, x])
        lost["thing" if c else "ground"].append(-P[b, c, y, x])
    means = [sum(values) / len(values) for values in lost.values()]
    torch.testing.assert_close(balanced, sum(means) / 2)
    torch.testing.assert_close(plain, sum(map(sum, lost.values())) / sum(map(len, lost.values())))


def test_sigma_3_grows_with_the_square_root_of_the_number_of_features():
    """Features of equal spread in every channel are as far apart for any number of channels."""
    assert replace(OPTIONS, features=128, sigma_feature=50.0).sigma_of_features() == 50
    few, many = (replace(OPTIONS, features=d, sigma_feature=50.0).sigma_of_features() for d in (32, 128))
    for d, sigma in ((32, few), (128, many)):
        F_ = torch.zeros(1, d, 1, 2)
        F_[..., 1] = 3.0
        K = terms.feature_kernel(F_, [(0, 1)], sigma)
        assert K[0, 0, 0, 0].item() == pytest.approx(torch.exp(torch.tensor(-9 * 128 / (2 * 50**2))).item())
    with raises(ValueError, "ramp_begins 0.5", "ramp_ends 0.2"):
        Dfr(ramp_begins=0.5, ramp_ends=0.2)


def test_terms_are_those_of_the_maps_and_of_the_reduced_image():
    network, image, labels, valid = batch = made()
    found = losses(batch)
    torch.manual_seed(1)
    x = backbones.normalise(image)
    logits, features = network.both(x)
    size = logits.shape[2:]
    small = F.avg_pool2d(x, 4)
    inside = -F.max_pool2d(-valid[:, None].float(), 4)[:, 0] > 0
    assert size == (16, 18) and inside[1].sum() == 12 * 18, "a cell of which a part is padded is not counted"
    pixels, P = inside.sum().float(), logits.softmax(dim=1)
    K_f = terms.static_kernel(small, inside, HALF, OPTIONS.sigma_xy, OPTIONS.sigma_rgb)
    K = K_f * terms.feature_kernel(features, HALF, OPTIONS.sigma_feature * (6 / 128) ** 0.5)
    M = terms.confident(P, OPTIONS.gamma)
    M[1, 12:] = UNKNOWN
    distance = mean_absolute_difference(features, HALF)
    expected = {
        "cross_entropy": segmentation_loss(logits, labels, False, network.grid),
        "dfr": OPTIONS.dfr_weight * terms.regularised_loss(P, K, HALF, pixels),
        "feature_distance": OPTIONS.distance_weight * terms.feature_distance_loss(distance, M, HALF),
        "feature_smooth": OPTIONS.smooth_weight * terms.feature_regularised_loss(distance, K_f, pixels),
    }
    assert (M != UNKNOWN).any() and (M == UNKNOWN).any()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)


@pytest.mark.parametrize(
    "kernel, sigmas",
    [(["position"], (6.0, inf)), (["colour"], (inf, 1.0)), (["position", "colour"], (6.0, 1.0))],
)
def test_a_static_kernel_has_the_terms_that_are_named(kernel, sigmas):
    network, image, _, valid = batch = made(0)
    found = losses(batch, kernel=kernel)
    assert set(found) == {"cross_entropy", "dfr"}
    torch.manual_seed(1)
    x = backbones.normalise(image)
    P = network(x).softmax(dim=1)
    inside = -F.max_pool2d(-valid[:, None].float(), 4)[:, 0] > 0
    K = terms.static_kernel(F.avg_pool2d(x, 4), inside, HALF, *sigmas)
    wanted = OPTIONS.dfr_weight * terms.regularised_loss(P, K, HALF, inside.sum().float())
    torch.testing.assert_close(found["dfr"], wanted)


def test_the_options_tell_whether_there_is_a_feature_head():
    assert Dfr(features=7).feature_head() == 7
    assert Dfr(features=7, kernel=["position", "colour"]).feature_head() == Dfr(dfr_weight=0).feature_head() == 0


@pytest.mark.parametrize("kind", ["confident", "scribbles", "both"])
def test_labels_of_the_feature_head(kind):
    P = torch.zeros(1, 3, 2, 3)
    P[0, 1], P[0, :, 1, 2] = 1.0, torch.tensor([0.4, 0.3, 0.3])
    labels = torch.full((1, 8, 12), UNKNOWN, dtype=torch.uint8)
    labels[0, :4, :4] = 2
    found = iteration.supervision(P, labels, replace(OPTIONS, supervision=kind, gamma=0.9))
    sure = [[1, 1, 1], [1, 1, UNKNOWN]]
    given = [[2, UNKNOWN, UNKNOWN], [UNKNOWN] * 3]
    both = [[2, 1, 1], [1, 1, UNKNOWN]]
    assert found.tolist() == [{"confident": sure, "scribbles": given, "both": both}[kind]]
    assert found.dtype == torch.uint8


def test_pairs_of_the_print_are_fewer():
    batch = made()
    whole, printed = (losses(batch, smooth_pairs=pairs)["feature_smooth"] for pairs in ("all", "confident"))
    assert 0 < printed < whole


def test_a_batch_without_labels_and_without_sure_predictions_gives_finite_losses():
    network, image, labels, valid = made()
    nothing = torch.full_like(labels, UNKNOWN)
    found = losses((network, image, nothing, torch.zeros_like(valid)), gamma=0.999)
    assert all(value == 0 for value in found.values())
    sum(found.values()).backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_half_precision_stays_with_the_networks_and_keeps_the_losses():
    batch = made()
    full = losses(batch)
    with torch.autocast("cpu", torch.bfloat16):
        half = losses(batch)
    assert all(value.dtype == torch.float32 for value in half.values())
    assert sum(half.values()).item() == pytest.approx(sum(full.values()).item(), rel=0.1)
