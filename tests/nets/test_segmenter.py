"""The heads of segmenters: their equations in loops, what they grade, their probabilities and their loss."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from wsss_stages.nets import backbones
from wsss_stages.nets.backbones import MEAN, STD
from wsss_stages.nets.grid import PIXELS, to_pixels
from wsss_stages.nets.heads import HEADS, tree_fcn
from wsss_stages.nets.segmenter import Segmenter, agreement, group_norm, multi_scale, scaled_logits, segmentation_loss
from wsss_stages.nets.tree_filter import spanning_forest, tree_filter
from wsss_stages.nets.upernet import UperNet
from wsss_stages.training.layers import new_parameters


def made(head, stride=8, classes=4):
    torch.manual_seed(0)
    return HEADS[head](HEADS[head].body("tiny", stride, True), classes, 8)


def moved(network):
    """Norms that do something: statistics and scales drawn."""
    for module in network.modules():
        if isinstance(module, torch.nn.GroupNorm):
            for tensor in (module.weight.data, module.bias.data):
                tensor.normal_()
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor in (module.running_mean, module.weight.data, module.bias.data):
                tensor.normal_()
            module.running_var.uniform_(0.5, 2)
    return network.eval()


@pytest.mark.parametrize("head", HEADS)
def test_probabilities_at_full_size(head):
    P = multi_scale(made(head).eval(), torch.rand(1, 3, 50, 70), [0.75, 1.0], True)
    assert P.shape == (4, 50, 70)
    torch.testing.assert_close(P.sum(dim=0), torch.ones(50, 70))


@pytest.mark.parametrize("head", HEADS)
def test_every_parameter_learns_and_new_ones_are_all_but_the_backbones(head):
    network = made(head).train()
    graded = network.graded(torch.rand(2, 3, 96, 96))
    sum(weight * logits.square().mean() for logits, weight in graded.values()).backward()
    still = {name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0}
    assert not still
    new, old = ({id(p) for p in ps} for ps in (new_parameters(network), network.backbone.parameters()))
    assert not new & old and new | old == {id(p) for p in network.parameters()}


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("name", ["tiny", "mobilenet_v2", "tf_efficientnet_lite0"])
def test_the_grid_is_that_of_the_logits(head, name):
    network = HEADS[head](HEADS[head].body(name, 16, False), 3, 16).eval()
    for logits, _ in network.graded(torch.zeros(2, 3, 128, 192)).values():
        assert [n * network.grid.stride for n in logits.shape[2:]] == [128, 192]


@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize("head", HEADS)
def test_any_batch_takes_a_step(head, images):
    network = made(head).train()
    graded = network.graded(torch.rand(images, 3, 64, 64))
    sum(weight * logits.square().mean() for logits, weight in graded.values()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("head", ["deeplab_v3", "pspnet", "uper_net"])
def test_pooled_branches_see_one_image_alone(head):
    """They are the same in training and in prediction, and whatever else is in the batch."""
    torch.manual_seed(0)
    network = UperNet([8, 8, 8, 24], 20, [1, 2, 3, 4]) if head == "uper_net" else made(head)
    branches = [network.aspp.convs[-1]] if head == "deeplab_v3" else network.pools
    m = torch.rand(2, 24 if head == "uper_net" else 128, 4, 5)
    for branch in branches:
        together, predicted = branch.train()(m), branch.eval()(m)
        alone = torch.cat([branch.train()(m[i : i + 1]) for i in range(2)])
        torch.testing.assert_close(together, predicted)
        torch.testing.assert_close(together, alone)


@pytest.mark.parametrize(
    "channels, groups", [(1, 1), (8, 1), (16, 1), (40, 2), (120, 6), (127, 1), (128, 8), (512, 32)]
)
def test_groups_of_a_norm_are_equal_and_have_16_channels(channels, groups):
    assert group_norm(channels).num_groups == groups


def test_deeplab_v2_sums_four_dilated_convolutions():
    network, image = made("deeplab_v2").eval(), torch.rand(1, 3, 208, 208)
    m, logits = network.backbone(image)[-1], network(image)
    assert m.shape[2:] == logits.shape[2:] == (26, 26)
    for y, x in ((0, 0), (13, 4), (25, 25)):
        expected = torch.zeros(4)
        for rate, conv in zip((6, 12, 18, 24), network.aspp, strict=True):
            expected += conv.bias
            for i, j in np.ndindex(3, 3):
                v, u = y + (i - 1) * rate, x + (j - 1) * rate
                if 0 <= v < 26 and 0 <= u < 26:
                    expected += conv.weight[:, :, i, j] @ m[0, :, v, u]
        torch.testing.assert_close(logits[0, :, y, x], expected)


def test_deeplab_v2_begins_with_small_filters_and_no_bias():
    for conv in made("deeplab_v2").aspp:
        assert 0.009 < conv.weight.std() < 0.011 and (conv.bias == 0).all()


def test_pspnet_pools_over_grids_of_1_2_3_and_6():
    network = moved(made("pspnet"))
    m = torch.rand(1, 128, 12, 12)
    for side, pool in zip((1, 2, 3, 6), network.pools, strict=True):
        cell, (_, conv, norm, _) = 12 // side, pool
        found = pool(m)
        assert found.shape == (1, 32, side, side) and norm.num_groups == 2
        reduced = torch.zeros(32, side, side)
        for y, x in np.ndindex(side, side):
            mean = m[0, :, y * cell : (y + 1) * cell, x * cell : (x + 1) * cell].mean(dim=(1, 2))
            reduced[:, y, x] = conv.weight[:, :, 0, 0] @ mean
        for group in range(2):
            of_group = slice(16 * group, 16 * (group + 1))
            z = (reduced[of_group] - reduced[of_group].mean()) / (reduced[of_group].var(correction=0) + norm.eps).sqrt()
            z = z * norm.weight[of_group, None, None] + norm.bias[of_group, None, None]
            torch.testing.assert_close(found[0, of_group], z.clamp(min=0), atol=1e-5, rtol=1e-4)


def test_pspnet_grades_the_map_before_the_last_with_weight_0_4():
    network = moved(made("pspnet"))
    image = torch.rand(2, 3, 64, 64)
    graded = network.graded(image)
    assert {name: weight for name, (_, weight) in graded.items()} == {"cross_entropy": 1.0, "auxiliary": 0.4}
    torch.testing.assert_close(graded["cross_entropy"][0], network(image))
    torch.testing.assert_close(graded["auxiliary"][0], network.auxiliary(network.backbone(image)[-2]))


@pytest.mark.parametrize("head", sorted(set(HEADS) - {"pspnet"}))
def test_other_heads_grade_their_logits_only(head):
    network, image = made(head).eval(), torch.rand(2, 3, 64, 64)
    ((name, (logits, weight)),) = network.graded(image).items()
    assert (name, weight) == ("cross_entropy", 1.0) and torch.equal(logits, network(image))


def test_tree_fcn_ends_at_the_finest_map_of_the_pyramid():
    network = made("tree_fcn").eval()
    assert network.groups == 8 and made("tree_fcn", stride=16).backbone.dims == network.backbone.dims == [
        32,
        64,
        96,
        128,
    ]
    assert network(torch.rand(1, 3, 64, 96)).shape == (1, 4, 16, 24)


def test_every_step_up_filters_along_the_tree_of_the_map_it_goes_up_to(monkeypatch):
    guides, filtered = [], []

    def forest(guide):
        guides.append(guide)
        return spanning_forest(guide)

    def filter_(x, embedding, forest, groups):
        filtered.append(x.shape[2:])
        return tree_filter(x, embedding, forest, groups)

    monkeypatch.setattr(tree_fcn, "spanning_forest", forest)
    monkeypatch.setattr(tree_fcn, "tree_filter", filter_)
    network, image = made("tree_fcn").eval(), torch.rand(1, 3, 64, 64)
    network(image)
    for guide, size, m in zip(guides, filtered, network.backbone(image)[-2::-1], strict=True):
        assert torch.equal(guide, m) and not guide.requires_grad and size == m.shape[2:]


def test_segmentation_loss_against_loops():
    logits, labels = torch.randn(1, 3, 4, 4), torch.randint(0, 3, (1, 4, 4), dtype=torch.uint8)
    labels[0, 0, 0] = 255
    log_p = logits.log_softmax(dim=1)
    values = {
        (y, x): -log_p[0, labels[0, y, x].item(), y, x].item() for y, x in np.ndindex(4, 4) if labels[0, y, x] != 255
    }
    groups = [[v for (y, x), v in values.items() if (labels[0, y, x] == 0) == zero] for zero in (True, False)]
    assert segmentation_loss(logits, labels, False).item() == pytest.approx(np.mean(list(values.values())), rel=1e-5)
    assert segmentation_loss(logits, labels, True).item() == pytest.approx(
        np.mean([np.mean(g) for g in groups]), rel=1e-5
    )


def test_segmentation_loss_of_unknown_labels_is_zero():
    assert segmentation_loss(torch.randn(1, 3, 4, 4), torch.full((1, 8, 8), 255, dtype=torch.uint8), True) == 0


class Fixed(Segmenter):
    """Class 1 where the image's first channel exceeds a half, class 0 elsewhere."""

    def __init__(self):
        torch.nn.Module.__init__(self)

    grid = PIXELS

    def forward(self, image):
        first = normalised_back(image)[:, :1]
        return torch.cat([0.5 - first, first - 0.5, torch.full_like(first, -9.0)], dim=1)


def normalised_back(image):
    return image * torch.tensor(STD).view(1, 3, 1, 1) + torch.tensor(MEAN).view(1, 3, 1, 1)


def test_agreement_counts_pixels_of_all_batches_by_given_label_and_prediction():
    rng = np.random.default_rng(0)
    images, labels = rng.random((3, 3, 4, 5), np.float32), rng.choice([0, 1, 2, 255], (3, 4, 5)).astype(np.uint8)
    batches = [
        {"image": torch.from_numpy(images[s]), "labels": torch.from_numpy(labels[s])} for s in (slice(2), slice(2, 3))
    ]
    expected = np.zeros((3, 3), int)
    for n, y, x in np.ndindex(3, 4, 5):
        if labels[n, y, x] != 255:
            expected[labels[n, y, x], int(images[n, 0, y, x] > 0.5)] += 1
    np.testing.assert_array_equal(agreement(Fixed(), batches, 3), expected)


@pytest.mark.parametrize("stride, small", [(16, 4), (8, 8)])
def test_deeplab_v3plus_sees_a_map_of_stride_8_beside_the_last_two(stride, small):
    network = moved(made("deeplab_v3plus", stride))
    image = 9 * torch.randn(1, 3, 64, 64)
    _, fine, middle, last = network.backbone(image)
    assert fine.shape[2] == 8 and middle.shape[2] == last.shape[2] == small
    context = network.context(torch.cat([network.reduce[0](middle), network.reduce[1](last)], dim=1))
    up = torch.zeros(1, 8, 8, 8)
    for y, x in np.ndindex(8, 8):  # bilinear between the middles of nodes
        v, u = (min(max((n + 0.5) * small / 8 - 0.5, 0), small - 1) for n in (y, x))
        (v0, dv), (u0, du) = divmod(v, 1), divmod(u, 1)
        for i, weight_v in ((v0, 1 - dv), (v0 + 1, dv)):
            for j, weight_u in ((u0, 1 - du), (u0 + 1, du)):
                if weight_v * weight_u:
                    up[:, :, y, x] += weight_v * weight_u * context[:, :, int(i), int(j)]
    expected = network.classify(network.refine(torch.cat([up, network.fine(fine)], dim=1)))
    torch.testing.assert_close(network(image), expected, rtol=1e-4, atol=1e-5)
    assert expected.shape == (1, 4, 8, 8)


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet18", "tf_efficientnet_lite0"])
def test_a_backbone_with_skips_has_the_same_parameters_and_last_map(name):
    torch.manual_seed(0)
    skips, plain = backbones.skips(name, 16, True).eval(), backbones.build(name, 16, True).eval()
    plain.load_state_dict(skips.state_dict())
    image = torch.rand(1, 3, 64, 64)
    maps = skips(image)
    assert [64 // m.shape[2] for m in maps] == [4, 8, 16, 16]
    torch.testing.assert_close(maps[-1], plain(image)[-1])


def test_scaled_logits_are_those_of_smaller_images_and_the_largest_of_all():
    network = made("deeplab_v2").eval()
    image = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    logits = network(image)
    found = scaled_logits(network, image, logits, [0.75, 0.5])
    half = F.interpolate(image, (32, 48), mode="bilinear", align_corners=False)
    torch.testing.assert_close(found["scale_0.5"], to_pixels(network(half), network.grid, (64, 96), (32, 48)))
    assert list(found) == ["scale_0.75", "scale_0.5", "scale_max"]
    whole = to_pixels(logits, network.grid, (64, 96))
    for c, y, x in ((0, 0, 0), (3, 63, 95), (2, 31, 40)):
        wanted = max(m[0, c, y, x].item() for m in (whole, found["scale_0.75"], found["scale_0.5"]))
        assert found["scale_max"][0, c, y, x].item() == pytest.approx(wanted)
