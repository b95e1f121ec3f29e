"""All parts of RRM in one iteration of training: labels from its own CAMs, four losses, one gradient (Algorithm 1)."""

import pytest
import torch
import torch.nn.functional as F

from wsss_stages import UNKNOWN
from wsss_stages.labels.cam import multi_scale
from wsss_stages.nets import backbones
from wsss_stages.options import Rrm
from wsss_stages.rrm import iteration
from wsss_stages.rrm.net import RrmNet
from wsss_stages.rrm.reliable import reliable_regions

OPTIONS = Rrm(stride=8, scales=[0.5, 1.0], keep=0.6, sigma_xy=20.0)
TAGS = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
TERMS = {"classification", "cross_entropy", "dense_energy", "class_distance"}


def made():
    torch.manual_seed(0)
    network = RrmNet(backbones.build("tiny", 8, False), 4, 16, "printed").train()
    image = F.interpolate(torch.rand(2, 3, 5, 5), (64, 72), mode="bilinear", align_corners=False)
    valid = torch.ones(2, 64, 72, dtype=torch.bool)
    valid[1, 50:] = False
    return network, image, valid


def losses(network, image, valid, **options):
    torch.manual_seed(1)  # of the dropout
    return iteration.losses(network, image, valid, TAGS, OPTIONS.model_copy(update=options), ["a", "b"])


def test_every_loss_teaches_and_learning_lowers_their_sum():
    network, image, valid = made()
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    sums = []
    for step in range(8):
        found = losses(network, image, valid)
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
    assert set(without) == TERMS - {term}
    assert all(torch.equal(without[name], once[name]) for name in without)


def test_a_mean_inside_leaves_padded_nodes_out():
    P, valid = torch.rand(2, 3, 4, 6), torch.zeros(2, 8, 12, dtype=torch.bool)
    valid[0, :4], valid[1, 2:6, 4:] = True, True
    found = iteration.mean_inside(P, valid)
    torch.testing.assert_close(found[0], P[0, :, :2].mean(dim=(1, 2)))
    torch.testing.assert_close(found[1], P[1, :, 1:3, 2:].mean(dim=(1, 2)))
