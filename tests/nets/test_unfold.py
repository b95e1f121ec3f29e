"""Folded batch norms taken out of the filters: the same function, and filters of one size."""

import numpy as np
import pytest
import torch

from wsss_stages.nets import backbones
from wsss_stages.nets.unfold import unfold_norms
from wsss_stages.training import pretrained

IMAGES = [torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(n)) - 0.5 for n in range(4)]


def folded(name: str = "mobilenet_v2"):
    """A backbone with folded norms whose layers differ in scale by thousands, as those of real files do."""
    torch.manual_seed(0)
    backbone = backbones.build(name, 16, pretrained=True).eval()
    for number, conv in enumerate(layers(backbone)):
        conv.weight.data *= 10 ** (1.5 * (-1) ** number)
        (norm,) = conv.norm
        norm.bias.data.uniform_(-0.5, 0.5)
        norm.running_var.fill_(1 - norm.eps)
    return backbone


def layers(backbone):
    return [module for module in backbone.modules() if hasattr(module, "norm")]


def outputs(backbone, layer):
    seen = []
    handle = layer.register_forward_hook(
        lambda _module, _inputs, output: seen.append(output.detach().clone())
    )  # ReLU6 overwrites it
    for image in IMAGES:
        backbone(image)
    handle.remove()
    return torch.cat([m.transpose(0, 1).flatten(1) for m in seen], dim=1).double()


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet18"])
def test_the_function_stays_the_same(name):
    backbone = folded(name)
    images = (IMAGES[0], torch.randn(1, 3, 96, 64))
    before = [backbone(image) for image in images]
    assert unfold_norms(backbone, IMAGES) == 4
    for image, maps in zip(images, before, strict=True):
        for m, wanted in zip(backbone(image), maps, strict=True):
            assert (m - wanted).abs().max() <= 1e-4 * wanted.abs().max()


@torch.no_grad()
def test_every_layer_has_the_moments_of_its_outputs_in_its_norm_and_filters_for_deviation_one():
    backbone = folded()
    chosen = [layers(backbone)[n] for n in (0, 7, 20, -1)]
    old = [conv.weight.detach().double().flatten(1).norm(dim=1) for conv in chosen]
    values = [outputs(backbone, conv) for conv in chosen]
    unfold_norms(backbone, iter(IMAGES))
    for conv, lengths, y in zip(chosen, old, values, strict=True):
        (norm,) = conv.norm
        longest = 4 * np.median(
            [float(n / c.std(correction=0)) for n, c in zip(lengths, y, strict=True) if c.std() > 0]
        )
        for c, (length, outputs_of_channel) in enumerate(zip(lengths, y, strict=True)):
            deviation = max(float(outputs_of_channel.std(correction=0)), float(length) / longest)
            assert float(norm.weight[c]) == pytest.approx(deviation, rel=0.02, abs=1e-4)
            assert float(norm.bias[c]) == pytest.approx(float(outputs_of_channel.mean()), abs=2e-3)
            assert float(conv.weight[c].norm()) == pytest.approx(float(length) / deviation, rel=0.02, abs=1e-4)


def test_a_norm_that_scales_already_is_left_alone_and_no_image_is_read():
    backbone = backbones.build("mobilenet_v2", 16, pretrained=True)
    for conv in layers(backbone):
        conv.norm[0].running_var.fill_(2)
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    assert unfold_norms(backbone, (pytest.fail("an image was read") for _ in range(1))) == 0
    assert all(torch.equal(tensor, before[name]) for name, tensor in backbone.state_dict().items())


def test_it_happens_at_loading_by_the_same_photographs_in_the_same_way(tmp_path):
    torch.save(folded().network.state_dict(), tmp_path / "folded.pth")
    one, two, as_it_is = (backbones.build("mobilenet_v2", 16, pretrained=True) for _ in range(3))
    photographs = [image + 0.5 for image in IMAGES]
    assert pretrained.load(one, str(tmp_path / "folded.pth"), iter(photographs)).unfolded == 4
    pretrained.load(two, str(tmp_path / "folded.pth"), iter(photographs))
    assert pretrained.load(as_it_is, str(tmp_path / "folded.pth")).unfolded == 0
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True))
    assert layers(as_it_is)[0].norm[0].weight.eq(1).all() and not layers(one)[0].norm[0].weight.eq(1).any()


def test_a_dead_channel_and_a_dead_layer_stay_finite_and_a_filter_of_a_dead_input_does_not_grow():
    backbone = folded("resnet18")
    first, second, third = (layers(backbone)[n] for n in (1, 2, 3))
    first.weight.data[0] = 0
    first.norm[0].bias.data[0] = -1  # rectified, the first channel is never seen again
    second.weight.data[5, 1:] = 0
    third.weight.data.zero_()
    unfold_norms(backbone, IMAGES)
    assert all(tensor.isfinite().all() for tensor in backbone.state_dict().values())
    lengths = second.weight.flatten(1).norm(dim=1)
    assert lengths[5] < 5 * lengths.median()
