"""Networks see photographs by the mean and deviation that they were trained with."""

import pytest
import torch
from torch import nn

from wsss_stages.nets import backbones
from wsss_stages.nets.backbone import Backbone
from wsss_stages.nets.inputs import MEAN, STD, Inputs, renormalise
from wsss_stages.training import pretrained

SEEN = Inputs((0.1, 0.5, 0.9), (0.25, 0.5, 1.0), "bicubic")


def toy(inputs: Inputs) -> Backbone:
    """A network whose map is its input."""
    network = nn.Sequential(nn.Identity())
    return Backbone("toy", network, lambda network, image: [network(image)], "", False, inputs=inputs)


def test_a_pixel_is_counted_from_one_mean_and_then_from_another():
    rgb = torch.rand(2, 3, 4, 5)
    found = renormalise(backbones.normalise(rgb), torch.tensor(SEEN.mean).view(1, 3, 1, 1), torch.ones(1, 3, 1, 1))
    for b in range(2):
        for c in range(3):
            for y in range(4):
                for x in range(5):
                    assert found[b, c, y, x].item() == pytest.approx(rgb[b, c, y, x].item() - SEEN.mean[c], abs=1e-6)


@pytest.mark.parametrize("inputs", [Inputs(), SEEN])
def test_a_network_sees_its_own_mean_as_zero_and_its_own_deviation_as_one(inputs):
    mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in (inputs.mean, inputs.deviation))
    (m,) = toy(inputs)(backbones.normalise((mean + 0.5 * deviation).expand(1, 3, 2, 2)))
    torch.testing.assert_close(m, torch.full((1, 3, 2, 2), 0.5))


def test_mean_and_deviation_travel_with_the_weights():
    state, other = toy(SEEN).state_dict(), toy(Inputs())
    other.load_state_dict(state)
    assert other.mean.flatten().tolist() == pytest.approx(SEEN.mean)
    assert other.deviation.flatten().tolist() == pytest.approx(SEEN.deviation)
    origin = pretrained.load(toy(SEEN), "none")
    assert (origin.mean, origin.deviation, origin.interpolation) == (SEEN.mean, SEEN.deviation, "bicubic")


@pytest.mark.parametrize(
    "name, mean, deviation",
    [
        ("resnet18", MEAN, STD),
        ("tf_efficientnet_lite0", (0.5,) * 3, (0.5,) * 3),
        ("efficientnet_b0", MEAN, STD),
        ("resnet50_clip.openai", (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
    ],
)
def test_mean_and_deviation_are_the_models(name, mean, deviation):
    inputs = backbones.pyramid(name, True).inputs
    assert (inputs.mean, inputs.deviation) == (mean, deviation)
