"""TensorFlow's padding, and the check of the padding that weights were trained with."""

import pytest
import torch
import torch.nn.functional as F
from timm.layers import Conv2dSame
from torch import nn

from tests.messages import raises
from wsss_stages.nets import backbones
from wsss_stages.nets.grid import Grid
from wsss_stages.nets.padding import first_pixel, lean, like, pad_as_tensorflow, padded
from wsss_stages.training import pretrained


@pytest.mark.parametrize("kernel", [3, 5])
def test_even_sides_are_padded_as_tensorflow_pads_them(kernel):
    conv, same = nn.Conv2d(2, 3, kernel, 2, kernel // 2), Conv2dSame(2, 3, kernel, 2)
    same.load_state_dict(conv.state_dict())
    conv = padded(conv)
    x = torch.randn(1, 2, 12, 8)
    torch.testing.assert_close(conv(x), same(x))
    assert first_pixel(conv) == 1 and first_pixel(nn.Conv2d(2, 3, kernel, 2, kernel // 2)) == 0
    other = like(conv, 1)
    assert other(x[:, :1]).shape == conv(x).shape and other.bias is None


def test_only_strided_convolutions_with_a_kernel_are_padded_otherwise():
    network = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 1, 2), nn.Conv2d(1, 1, 3, 2, 1))
    names = list(network.state_dict())
    pad_as_tensorflow(network)
    plain, shortcut, strided = network
    assert type(plain) is type(shortcut) is nn.Conv2d and strided(torch.ones(1, 1, 4, 4)).shape == (1, 1, 2, 2)
    assert list(network.state_dict()) == names
    assert plain.padding == (1, 1) and plain(torch.zeros(1, 1, 5, 5)).shape == (1, 1, 5, 5)
    assert shortcut(torch.zeros(1, 1, 5, 5)).shape == (1, 1, 3, 3)


@pytest.mark.parametrize("size", [(64, 96), (50, 71), (33, 32)])
@pytest.mark.parametrize("name", ["tf_mobilenet_v2", "tf_efficientnet_lite0"])
def test_an_image_of_any_size_is_one_with_zeros_up_to_whole_strides(name, size):
    backbone = backbones.build(name, 16, True).eval()
    image = backbones.normalise(torch.rand(1, 3, *size))
    found = backbone(image)[-1]
    nothing = backbones.normalise(backbone.mean.expand(1, 3, -(-size[0] // 16) * 16, -(-size[1] // 16) * 16)).clone()
    nothing[..., : size[0], : size[1]] = image
    torch.testing.assert_close(found, backbone(nothing)[-1], atol=1e-5, rtol=1e-4)
    assert backbone.grids[-1] == Grid(16, 7.5)


def test_tensorflows_mobilenet_is_torchvisions_with_another_padding():
    ours, theirs = backbones.build("tf_mobilenet_v2", 16, True).eval(), backbones.build("mobilenet_v2", 16, True).eval()
    theirs.load_state_dict(ours.state_dict())
    image = torch.randn(1, 3, 64, 64)
    stem = ours.network.features[0][0]
    torch.testing.assert_close(stem(image), F.conv2d(F.pad(image, (0, 1, 0, 1)), *folded(stem), 2))
    torch.testing.assert_close(theirs.network.features[0][0](image), F.conv2d(image, *folded(stem), 2, 1))


def folded(conv):
    (norm,) = conv.norm
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return conv.weight * scale.view(-1, 1, 1, 1), norm.bias - norm.running_mean * scale


def leaning(name: str, shift: int) -> dict[str, torch.Tensor]:
    """Weights whose strided filters lie one pixel off their middle."""
    backbone = backbones.build(name, 16, True)
    for conv in backbone.network.modules():
        if isinstance(conv, nn.Conv2d) and conv.stride == (2, 2):
            conv.weight.data.zero_()[..., 1 + shift, 1 + shift] = 1
    assert lean(backbone.network) == pytest.approx(shift)
    return backbone.network.state_dict()


@pytest.mark.parametrize(
    "name, other, shift", [("mobilenet_v2", "tf_mobilenet_v2", -1), ("tf_mobilenet_v2", "mobilenet_v2", 1)]
)
def test_weights_of_the_other_padding_name_the_backbone_to_take(tmp_path, name, other, shift):
    file = tmp_path / "mobilenet.pth"
    torch.save(leaning(name, shift), file)
    with raises(pretrained.WeightsError, f"{file}: ", "lean", "padding", f"Use {other}"):
        pretrained.load(backbones.build(name, 16, True), str(file))
    assert pretrained.load(backbones.build(other, 16, True), str(file)).missing == ()


def test_random_filters_lean_nowhere():
    torch.manual_seed(0)
    assert abs(lean(backbones.build("mobilenet_v2", 16, True).network)) < 0.05
