"""Both branches of RRM: shapes, Eq. 2.13, the layers that they share and those that learn."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from wsss_stages.nets import backbones
from wsss_stages.nets.segmenter import multi_scale
from wsss_stages.rrm.net import BRANCHES, RATE, RrmNet
from wsss_stages.training.layers import new_parameters

CLASSES = 4


def made(branches=BRANCHES, channels=8, pretrained=True):
    torch.manual_seed(0)
    return RrmNet(backbones.build("tiny", 8, pretrained), CLASSES, channels, "printed", branches)


IMAGE = torch.rand(2, 3, 64, 72, generator=torch.Generator().manual_seed(0))


def test_the_score_is_the_mean_of_both_sub_branches():
    network = made().eval()
    m = network.backbone(IMAGE)[-1]
    F_l, P_l = network.branches["local"](m)
    F_g, P_g = network.branches["global"](m)
    found = network.both(IMAGE)
    torch.testing.assert_close(found.logits, (P_l + P_g) / 2)
    torch.testing.assert_close(network(IMAGE), found.logits)
    assert torch.equal(found.features, torch.cat([F_l, F_g], dim=1)) and found.features.shape == (2, 16, 8, 9)


@pytest.mark.parametrize("name", BRANCHES)
def test_one_sub_branch_alone(name):
    network = made((name,)).eval()
    F_m, P = network.branches[name](network.backbone(IMAGE)[-1])
    found = network.both(IMAGE)
    assert list(network.branches) == [name]
    assert torch.equal(found.logits, P) and torch.equal(found.features, F_m)


def test_the_local_sub_branch_looks_twelve_nodes_far():
    branch = made().branches["local"]
    m = torch.randn(1, 128, 30, 30)
    y, x = 15, 14
    for conv, before in ((branch.conv, m), (branch.classify, F.relu(branch.conv(m)))):
        expected = conv.bias.clone()
        for i, j in np.ndindex(3, 3):
            v, u = y + (i - 1) * RATE, x + (j - 1) * RATE
            expected += conv.weight[:, :, i, j] @ before[0, :, v, u]
        torch.testing.assert_close(conv(before)[0, :, y, x], expected)


def test_widths_of_the_thesis():
    network = made(channels=512)
    local, wide = network.branches["local"], network.branches["global"]
    assert (local.conv.out_channels, wide.attention.project.out_channels, wide.conv.out_channels) == (512, 3 * 256, 256)
    assert wide.classify.bias is None and network.tag.bias is None


def test_the_cam_is_the_rectified_activation():
    network = made().eval()
    activation = network.tag(network.backbone(IMAGE)[-1])
    found = network.both(IMAGE)
    torch.testing.assert_close(found.activation, activation)
    torch.testing.assert_close(network.activation(IMAGE), activation)
    torch.testing.assert_close(found.cam, F.relu(activation))
    assert found.cam.shape == (2, CLASSES - 1, 8, 9) and not found.cam.requires_grad
    assert torch.equal(network.cam(IMAGE), found.cam)


def test_the_cam_of_a_network_in_training_is_that_of_evaluation():
    network = made(pretrained=False)
    expected = network.eval().cam(IMAGE)
    network.train()
    before = {name: t.clone() for name, t in network.state_dict().items()}
    assert torch.equal(network.cam(IMAGE), expected)
    assert network.training and network.backbone.training
    assert all(torch.equal(t, before[name]) for name, t in network.state_dict().items())


def test_every_parameter_learns_and_both_branches_teach_the_backbone():
    network = made().train()
    found = network.both(IMAGE)
    weight = next(network.backbone.parameters())
    for part in (found.activation, found.logits, found.features):
        (gradient,) = torch.autograd.grad(part.square().mean(), weight, retain_graph=True)
        assert gradient.abs().sum() > 0
    (found.activation.square().mean() + found.logits.square().mean()).backward()
    assert not [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    new, old = ({id(p) for p in ps} for ps in (new_parameters(network), network.backbone.parameters()))
    assert not new & old and new | old == {id(p) for p in network.parameters()}


def test_gradients_reach_the_weights_after_cams_in_half_precision():
    """A cast made without gradient must not serve a pass with one."""
    network = made().train()
    with torch.autocast("cpu", torch.bfloat16):
        network.cam(IMAGE)
        found = network.both(IMAGE)
    (found.activation.square().mean() + found.logits.float().square().mean()).backward()
    assert not [n for n, p in network.named_parameters() if p.grad is None]


def test_predicts_as_a_segmenter():
    P = multi_scale(made().eval(), torch.rand(1, 3, 50, 70), [0.75, 1.0], True)
    torch.testing.assert_close(P.sum(dim=0), torch.ones(50, 70))
