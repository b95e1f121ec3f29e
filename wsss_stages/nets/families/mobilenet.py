"""torchvision's MobileNetV2 as a backbone, padded as in PyTorch, or as in TensorFlow for its weights."""

from typing import Any

from torch import Tensor, nn

from wsss_stages.nets.backbone import Backbone
from wsss_stages.nets.depthwise import DilatedDepthwise, is_dilated_depthwise
from wsss_stages.nets.dilation import dilate
from wsss_stages.nets.families import family
from wsss_stages.nets.padding import TWINS, pad_as_tensorflow
from wsss_stages.nets.relu6 import ReLU6
from wsss_stages.nets.replace import convolution_as, replace

EXPANDED = (13, 17)
"""Blocks whose rectified expansions are maps, beside the last convolution."""
PYRAMID = (3, 6, 13, 17)
"""Blocks whose signed outputs are the maps of a pyramid at strides 4, 8, 16 and 32."""
LAST = 18
"""The last convolution, which takes the last block's place where strides are traded for dilation."""


@family(*TWINS)
def mobilenet(name: str, stride: int, pretrained: bool, maps: int) -> Backbone:
    """Return the backbone; three maps are rectified, of four all but the last convolution's are signed."""
    from torchvision.models import mobilenet_v2  # seconds, which other networks need not wait

    network = nn.Module()
    network.features = features = mobilenet_v2().features
    dilate(features, stride)
    replace(features, is_dilated_depthwise, lambda conv: convolution_as(DilatedDepthwise, conv))
    replace(features, lambda module: isinstance(module, nn.ReLU6), lambda _: ReLU6())
    tensorflow = name.startswith("tf_")
    if tensorflow:
        pad_as_tensorflow(features)
    maps_of = _three if maps == 3 else _pyramid if stride == 32 else _skips
    hub = "" if tensorflow else f"torchvision:{name}"
    return Backbone(name, network, maps_of, hub, pretrained, whole_strides=tensorflow)


def _three(network: Any, x: Tensor) -> list[Tensor]:
    maps = []
    for number, block in enumerate(network.features):
        if number in EXPANDED:
            expand, *others = block.conv
            maps.append(expand(x))
            x = _through(others, maps[-1], x if block.use_res_connect else None)
        else:
            x = block(x)
    return [*maps, x]


def _through(layers: list[nn.Module], expanded: Tensor, shortcut: Tensor | None) -> Tensor:
    x = expanded
    for layer in layers:
        x = layer(x)
    return x if shortcut is None else shortcut + x


def _pyramid(network: nn.Module, image: Tensor) -> list[Tensor]:
    return _outputs(network, image, PYRAMID)


def _skips(network: nn.Module, image: Tensor) -> list[Tensor]:
    return _outputs(network, image, (*PYRAMID[:-1], LAST))


def _outputs(network: Any, x: Tensor, numbers: tuple[int, ...]) -> list[Tensor]:
    maps = []
    for number, block in enumerate(network.features):
        x = block(x)
        if number in numbers:
            maps.append(x)
    return maps
