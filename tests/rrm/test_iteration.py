"""All parts of RRM in one iteration of training: labels from its own CAMs, four losses, one gradient (Algorithm 1)."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from wsss_stages import UNKNOWN
from wsss_stages.config.options import Rrm
from wsss_stages.labels.cam import multi_scale
from wsss_stages.nets import backbones
from wsss_stages.nets.grid import to_pixels
from wsss_stages.rrm import iteration
from wsss_stages.rrm.class_distance import class_distance
from wsss_stages.rrm.net import RrmNet
from wsss_stages.rrm.reliable import reliable_regions

OPTIONS = Rrm(stride=8, scales=[0.5, 1.0], keep=0.6, sigma_xy=20.0, distance_above=0.0).fill(iteration.Settings)
TAGS = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
TERMS = {"classification", "cross_entropy", "dense_energy", "class_distance"}
SHOWN = {"background_share", "foreground_share", "classes_lost"}


def made():
    torch.manual_seed(0)
    network = RrmNet(backbones.build("tiny", 8, False), 4, 16, "printed").train()
    image = F.interpolate(torch.rand(2, 3, 5, 5), (64, 72), mode="bilinear", align_corners=False)
    valid = torch.ones(2, 64, 72, dtype=torch.bool)
    valid[1, 50:] = False
    return network, image, valid


def losses(network, image, valid, **options):
    torch.manual_seed(1)  # of the dropout
    return iteration.losses(network, image, valid, TAGS, replace(OPTIONS, **options), ["a", "b"])


def test_every_loss_teaches_and_learning_lowers_their_sum():
    network, image, valid = made()
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    sums = []
    for step in range(8):
        found = losses(network, image, valid)
        assert set(found) == TERMS | SHOWN and all(0 <= found.pop(name) <= 1 for name in SHOWN)
        total = sum(found.values())
        assert torch.isfinite(total)
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


def test_labels_are_those_of_its_own_cams(monkeypatch):
    network, image, valid = made()
    network.eval()
    seen = []

    def regions(*arguments):
        seen.append((arguments, reliable_regions(*arguments)))
        return seen[-1][1]

    monkeypatch.setattr(iteration, "reliable_regions", regions)
    losses(network, image, valid)
    ((_, _, cams, classes, opt, names), labels) = seen[0]
    assert [c.tolist() for c in classes] == [[2], [1, 3]] and names == ["a", "b"] and opt.keep == 0.6
    expected = multi_scale(network.cam, backbones.normalise(image), classes, [0.5, 1.0], False, 8, network.grid)
    for cam, wanted in zip(cams, expected, strict=True):
        torch.testing.assert_close(cam, wanted)
    assert (labels != UNKNOWN).any() and (labels[1, 50:] == UNKNOWN).all()


@pytest.mark.parametrize("weight, term", [("energy_weight", "dense_energy"), ("distance_weight", "class_distance")])
def test_a_term_has_its_weight_and_is_left_out_without(weight, term):
    network, image, valid = made()
    for _ in range(10):
        network(backbones.normalise(image))  # norms learn what evaluation needs
    network.eval()
    once, twice = (losses(network, image, valid, **{weight: w}) for w in (1.0, 2.0))
    assert once[term] > 0.01
    torch.testing.assert_close(twice[term], 2 * once[term])
    without = losses(network, image, valid, **{weight: 0.0})
    assert set(without) == (TERMS | SHOWN) - {term}
    assert all(without[name] == once[name] for name in without)


def test_the_class_distance_grows_with_the_ramp_and_sees_sure_predictions_only(monkeypatch):
    network, image, valid = made()
    for _ in range(10):
        network(backbones.normalise(image))  # norms learn what evaluation needs
    P = network.eval()(backbones.normalise(image)).softmax(dim=1)
    above = P.amax(dim=1).median().item() + 1e-6
    seen = []

    def distance(features, M_p, *more):
        seen.append(M_p)
        return class_distance(features, M_p, *more)

    monkeypatch.setattr(iteration, "class_distance", distance)
    options = replace(OPTIONS, distance_above=above)
    whole, half, none = (
        iteration.losses(network, image, valid, TAGS, options, ["a", "b"], ramp) for ramp in (1.0, 0.5, 0.0)
    )
    torch.testing.assert_close(half["class_distance"], whole["class_distance"] / 2)
    assert whole["class_distance"] > 0.001 and "class_distance" not in none and len(seen) == 2
    nodes = valid[:, ::8, ::8]
    for at in torch.cartesian_prod(*map(torch.arange, seen[0].shape)):
        b, y, x = at.tolist()
        sure = P[b, :, y, x].max() >= above and nodes[b, y, x]
        assert seen[0][b, y, x] == (P[b, :, y, x].argmax() if sure else UNKNOWN)
    assert (seen[0] == UNKNOWN).any() and (seen[0] != UNKNOWN).any()


def test_cross_entropy_is_the_sum_of_the_means_of_background_and_foreground(monkeypatch):
    network, image, valid = made()
    network.eval()
    labels = torch.full((2, 64, 72), UNKNOWN, dtype=torch.uint8)
    labels[0, :8, :8], labels[1, 20:22, 5:9] = 0, 3
    monkeypatch.setattr(iteration, "reliable_regions", lambda *_: labels)
    found = losses(network, image, valid)
    logits = network(backbones.normalise(image))
    P = to_pixels(logits, network.grid, (64, 72)).softmax(dim=1)
    ground = [-P[0, 0, y, x].log() for y in range(8) for x in range(8)]
    thing = [-P[1, 3, y, x].log() for y in (20, 21) for x in range(5, 9)]
    torch.testing.assert_close(found["cross_entropy"], sum(ground) / 64 + sum(thing) / 8)
    assert (found["background_share"], found["classes_lost"]) == (64 / int(valid.sum()), 2 / 3)


def test_padded_nodes_say_nothing_of_the_classes():
    network, image, valid = made()
    for _ in range(10):
        network(backbones.normalise(image))  # norms learn what evaluation needs
    with torch.no_grad():
        network.eval().tag.weight.mul_(10)
    found = losses(network, image, valid)["classification"]
    activation = network.activation(backbones.normalise(image))
    assert (found - F.multilabel_soft_margin_loss(activation.mean(dim=(2, 3)), TAGS)).abs() > 1e-3
    means = [
        activation[0].mean(dim=(1, 2)),
        activation[1, :, :7].mean(dim=(1, 2)),
    ]  # 50 of 64 rows: seven nodes of eight
    torch.testing.assert_close(found, F.multilabel_soft_margin_loss(torch.stack(means), TAGS))
