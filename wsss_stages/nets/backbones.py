"""Backbones by name: three rectified maps at a chosen stride, or a pyramid of four maps."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

from torch import Tensor, nn

from wsss_stages.nets import timm_nets
from wsss_stages.nets.backbone import Backbone
from wsss_stages.nets.dilation import dilate
from wsss_stages.nets.frozen_norm import fold_norms
from wsss_stages.nets.inputs import MEAN, STD, normalise
from wsss_stages.nets.padding import TWINS, pad_as_tensorflow
from wsss_stages.nets.relu6 import ReLU6
from wsss_stages.nets.resnet38 import ResNet38

__all__ = ["MEAN", "STD", "Backbone", "build", "normalise", "pyramid"]


class Tiny(nn.Sequential):
    """Five blocks of two convolutions, strides 2, 4, 8, 16, 16; trains from scratch within a minute."""

    def __init__(self):
        widths = (3, 16, 32, 64, 96, 128)
        blocks = []
        for number, (before, after) in enumerate(pairwise(widths)):
            stride = 2 if number < 4 else 1
            blocks.append(nn.Sequential(*_conv(before, after, stride), *_conv(after, after, 1)))
        super().__init__(*blocks)


def _conv(before: int, after: int, stride: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]


def build(name: str, stride: int, pretrained: bool) -> Backbone:
    """A backbone by name, whose maps are those of its last three blocks, rectified.

    Args:
        name: tiny, resnet38, mobilenet_v2, tf_mobilenet_v2 (padded as TensorFlow does, for weights of its), resnet18/34/50/101, or a
            timm model with `features_only` that timm can dilate.
        stride: output stride, 8 or 16.
        pretrained: weights will be loaded (nets.weights), so batch norm is frozen.

    Raises: ValueError for an unknown name, with what there is, or a timm model that cannot have this stride.
    """
    return _folded(_builder(name)(stride, pretrained, 3))


def pyramid(name: str, pretrained: bool) -> Backbone:
    """The same networks under the same parameter names, and timm's swin_*, with four maps at strides 4, 8, 16 and 32.

    resnet38 and tiny stay at 8 and 16. The maps of mobilenet_v2 and of Swin Transformers are signed.
    """
    return _folded(_builder(name)(32, pretrained, 4))


def skips(name: str, stride: int, pretrained: bool) -> Backbone:
    """The same networks under the same parameter names as of `build`, with four maps, the last two at `stride`.

    The first two have strides 4 and 8. All but the last map of mobilenet_v2 are signed.
    """
    return _folded(_builder(name)(stride, pretrained, 4))


def _builder(name: str) -> Callable[[int, bool, int], Backbone]:
    if name in _OURS:
        return _OURS[name]
    return partial(_resnet, name) if name in _RESNETS else timm_nets.builder(name)


def _folded(backbone: Backbone) -> Backbone:
    if backbone.frozen_norm and not backbone.hub.startswith("timm"):
        fold_norms(backbone.network)
    return backbone


def _tiny(stride: int, pretrained: bool, maps: int) -> Backbone:
    network = Tiny()
    dilate(network, stride)
    return Backbone("tiny", network, network, list(network)[-maps:], "", pretrained)


def _resnet38(stride: int, pretrained: bool, maps: int) -> Backbone:
    wide = ResNet38()
    taps = [wide.b3_2, wide.conv4, wide.conv5, wide.conv6][-maps:]
    return Backbone("resnet38", wide, wide, taps, "", True)


def _mobilenet(name: str, stride: int, pretrained: bool, maps: int) -> Backbone:
    """Three taps are the rectified expansions of blocks 13 and 17 and the last convolution, four are blocks' signed outputs, of which
    the last convolution takes the last one's place where strides are traded for dilation."""
    from torchvision.models import mobilenet_v2

    features = mobilenet_v2().features
    dilate(features, stride)
    for module in features.modules():
        if isinstance(module, nn.ReLU6):
            module.__class__ = ReLU6
    tensorflow = name.startswith("tf_")
    if tensorflow:
        pad_as_tensorflow(features.modules())
    three = [features[13].conv[0], features[17].conv[0], features[18]]
    taps = three if maps == 3 else [features[n] for n in (3, 6, 13, 17 if stride == 32 else 18)]
    hub = "" if tensorflow else f"torchvision:{name}"
    return Backbone(name, _Named(features=features), features, taps, hub, pretrained, whole_strides=tensorflow)


def _resnet(name: str, stride: int, pretrained: bool, maps: int) -> Backbone:
    from torchvision import models

    net = getattr(models, name)()
    stages = [net.layer1, net.layer2, net.layer3, net.layer4]
    stem = nn.Sequential(net.conv1, net.bn1, net.relu, net.maxpool)
    dilate([net.conv1, net.maxpool, *(block for stage in stages for block in stage)], stride)
    del net.fc, net.avgpool

    def run(image: Tensor) -> Tensor:
        x = stem(image)
        for stage in stages:
            x = stage(x)
        return x

    return Backbone(name, net, run, stages[-maps:], f"torchvision:{name}", pretrained)


_OURS = {"tiny": _tiny, "resnet38": _resnet38} | {name: partial(_mobilenet, name) for name in TWINS}
_RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101")


class _Named(nn.Module):
    """Give modules the names that they have in a checkpoint."""

    def __init__(self, **modules: nn.Module):
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)
