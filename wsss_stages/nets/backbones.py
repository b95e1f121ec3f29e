"""Backbones by name: the last three blocks' rectified maps at a chosen stride, or a pyramid of four maps."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_stages.nets import swin
from wsss_stages.nets.dilation import dilate
from wsss_stages.nets.frozen_norm import fold_norms
from wsss_stages.nets.relu6 import ReLU6
from wsss_stages.nets.resnet38 import ResNet38

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's mean and standard deviation of RGB in [0, 1]."""


class Backbone(nn.Module):
    """A network and its taps: modules whose outputs are the feature maps.

    forward: (b, 3, h, w) normalised RGB to maps (b, d_k, h_k, w_k); the last has the coarsest stride.
    """

    def __init__(
        self,
        name: str,
        network: nn.Module,
        run: Callable,
        taps: list[nn.Module],
        hub: str,
        frozen_norm: bool,
        converted: Callable[[dict[str, Tensor]], dict[str, Tensor]] = dict,
    ):
        """`converted` brings a checkpoint under the names of the network."""
        super().__init__()
        self.name, self.hub, self.frozen_norm, self.converted = name, hub, frozen_norm, converted
        self.network, self._run = network, lambda image: run(image)  # wrapped: `run` may be `network`, held once
        self._maps: list[Tensor] = []
        for tap in taps:
            tap.register_forward_hook(lambda _module, _inputs, output: self._maps.append(output))
        training = self.training
        with torch.no_grad():
            self.dims = [m.shape[1] for m in self.eval()(torch.zeros(1, 3, 64, 64))]
        self.train(training)

    def forward(self, image: Tensor) -> list[Tensor]:
        self._maps = []
        self._run(image)
        maps, self._maps = self._maps, []
        return maps

    def train(self, mode: bool = True) -> "Backbone":
        """Batch norm of pretrained weights stays frozen: its statistics, or the identity of a folded one, are kept."""
        super().train(mode)
        if self.frozen_norm:
            for module in self.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self


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
        name: tiny, resnet38, mobilenet_v2, resnet18/34/50/101, or a timm model with `features_only` that timm can dilate.
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
    if name.startswith("swin_"):
        return partial(_swin, name)
    return partial(_resnet if name in _RESNETS else _timm, name)


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


def _mobilenet(stride: int, pretrained: bool, maps: int) -> Backbone:
    """Three taps are the rectified expansions of blocks 13 and 17 and the last convolution, four are blocks' signed outputs, of which
    the last convolution takes the last one's place where strides are traded for dilation."""
    from torchvision.models import mobilenet_v2

    features = mobilenet_v2().features
    dilate(features, stride)
    for module in features.modules():
        if isinstance(module, nn.ReLU6):
            module.__class__ = ReLU6
    three = [features[13].conv[0], features[17].conv[0], features[18]]
    taps = three if maps == 3 else [features[n] for n in (3, 6, 13, 17 if stride == 32 else 18)]
    return Backbone("mobilenet_v2", _Named(features=features), features, taps, "torchvision:mobilenet_v2", pretrained)


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


def _timm(name: str, stride: int, pretrained: bool, maps: int) -> Backbone:
    net = _features(name, stride)
    taps = nn.ModuleList(nn.Identity() for _ in range(maps))

    def run(image: Tensor) -> None:
        for tap, m in zip(taps, net(image)[-maps:], strict=True):
            tap(F.relu(m.permute(0, 3, 1, 2) if _channels_last(m, net) else m))

    return Backbone(name, net, run, list(taps), f"timm:{name}", pretrained)


def _swin(name: str, stride: int, pretrained: bool, maps: int) -> Backbone:
    _known(name)
    if maps != 4:
        raise ValueError(f"backbone {name!r} cannot give maps at stride {stride}, only a pyramid, for dfr; {_ADVICE}")
    net = swin.network(name)
    taps = list(net.out_norms)
    return Backbone(
        name, net, partial(swin.run, net), taps, f"timm_model:{name}", pretrained, partial(swin.converted, net)
    )


def _features(name: str, stride: int) -> nn.Module:
    """timm's model whose last map is at a stride. Raises ValueError."""
    import timm

    _known(name)
    make = partial(timm.create_model, name, features_only=True, pretrained=False)
    try:
        try:
            net = make(output_stride=stride)
        except (NotImplementedError, TypeError, AssertionError):
            net = make()
        with torch.no_grad():
            last = net.eval()(torch.zeros(1, 3, 64, 64))[-1]
    except (NotImplementedError, RuntimeError, AssertionError) as error:
        raise ValueError(f"backbone {name!r} cannot give maps of an image of any size ({error}); {_ADVICE}") from error
    found = 64 // last.shape[1 if _channels_last(last, net) else 2]
    if found != stride:
        raise ValueError(f"backbone {name!r} has stride {found} and timm cannot dilate it to {stride}; {_ADVICE}")
    return net


def _known(name: str) -> None:
    """Raise ValueError, with what there is near, for a name that timm does not have."""
    import timm

    if name not in timm.list_models() and name.split(".")[0] not in timm.list_models():
        near = ", ".join(timm.list_models(f"*{name.split('_')[0]}*")[:8]) or "none of that family"
        raise ValueError(
            f"backbone {name!r} is not known; wanted tiny, resnet38, mobilenet_v2, resnet18/34/50/101 or a timm model "
            f"(near it: {near})"
        )


_OURS = {"tiny": _tiny, "resnet38": _resnet38, "mobilenet_v2": _mobilenet}
_ADVICE = "take one that timm can dilate, such as a resnet, res2net, resnest, regnet, efficientnet or convnext"
_RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101")


def _channels_last(m: Tensor, net: nn.Module) -> bool:
    return getattr(net, "output_fmt", None) is not None and str(net.output_fmt).endswith("NHWC") and m.ndim == 4


class _Named(nn.Module):
    """Give modules the names that they have in a checkpoint."""

    def __init__(self, **modules: nn.Module):
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)


def normalise(images: Tensor) -> Tensor:
    """(b, 3, h, w) RGB in [0, 1] to ImageNet's mean 0 and deviation 1."""
    mean = torch.tensor(MEAN, device=images.device).view(1, 3, 1, 1)
    std = torch.tensor(STD, device=images.device).view(1, 3, 1, 1)
    return (images - mean) / std
