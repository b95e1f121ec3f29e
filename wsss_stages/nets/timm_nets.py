"""timm's models as backbones: EfficientNets, Vision and Swin Transformers, and whatever `features_only` gives."""

from functools import partial
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_stages.nets import swin, vit
from wsss_stages.nets.backbone import Backbone, parts
from wsss_stages.nets.families import Builder
from wsss_stages.nets.inputs import Inputs
from wsss_stages.nets.padding import padded
from wsss_stages.nets.replace import replace

ADVICE = "take one that timm can dilate, such as a resnet, res2net, resnest, regnet, efficientnet or convnext, or a plain Vision Transformer (vit_*, eva02_*)"


def builder(name: str) -> Builder:
    """Return the function that builds a timm model. Raises ValueError for an unknown name."""
    from timm.models import model_entrypoint
    from timm.models.efficientnet import EfficientNet

    _check_known(name)
    if name.startswith("swin_"):
        return _swin
    if vit.is_transformer(name):
        return vit.timm_transformer
    of_efficientnets = model_entrypoint(name.split(".")[0]).__module__ == EfficientNet.__module__
    return _efficientnet if of_efficientnets else _features_only


def _efficientnet(name: str, stride: int, pretrained: bool, maps: int) -> Backbone:
    """Return taps as mobilenet_v2 has them: two blocks' rectified expansions and the last convolution; or four signed maps, of
    which the last convolution takes the last one's place where strides are traded for dilation."""
    import timm

    net = timm.create_model(name, pretrained=False, num_classes=0, output_stride=stride)
    tensorflow = _static_padding(net)
    if maps == 4:
        maps_of = partial(_signed, last_convolution=stride != 32)
    else:
        places = [int(stage["module"].removeprefix("blocks.")) for stage in cast(Any, net).feature_info[-2:]]
        maps_of = partial(_expansions, places=places)
    return Backbone(name, net, maps_of, f"timm_model:{name}", pretrained, _in_order, _inputs(net), tensorflow)


def _signed(net: Any, image: Tensor, last_convolution: bool) -> list[Tensor]:
    last, found = net.forward_intermediates(image)
    return [*found[-4:-1], last] if last_convolution else found[-4:]


def _expansions(net: Any, image: Tensor, places: list[int]) -> list[Tensor]:
    """Return the first activated maps of the last blocks of two stages, and that of the last convolution, rectified."""
    x, maps = net.bn1(net.conv_stem(image)), []
    for place, stage in enumerate(net.blocks):
        *blocks, last = stage
        for block in blocks:
            x = block(x)
        if place in places:
            m, x = _opened(last, x)
            maps.append(_rectified(m, last.bn1))
        else:
            x = last(x)
    return [*maps, _rectified(net.bn2(net.conv_head(x)), net.bn2)]


def _opened(block: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first activated map of a block, and its output; timm registers the layers of a block in the order of the data."""
    layers, shortcut, mixing = dict(block.named_children()), x, ()
    if routing := layers.pop("routing_fn", None):  # of filters that are mixed for every image
        mixing = (torch.sigmoid(routing(F.adaptive_avg_pool2d(x, 1).flatten(1))),)
    for name, layer in layers.items():
        x = layer(x, *mixing) if name.startswith("conv") else layer(x)
        if name == "bn1":
            activated = x
    return activated, x + shortcut if block.has_skip else x


def _rectified(m: Tensor, activated: Any) -> Tensor:
    return m if isinstance(activated.act, nn.ReLU | nn.ReLU6) else F.relu(m)


def _features_only(name: str, stride: int, pretrained: bool, maps: int) -> Backbone:
    """Return the last feature maps; of signed ones a network that is not a pyramid gives the positive and the negative part."""
    net = _features(name, stride)
    tensorflow = _static_padding(net)
    with torch.no_grad():
        image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) - 0.5
        signed = [bool(m.min() < 0) for m in net(image)[-maps:]]
    maps_of = partial(_last, signed=signed)
    return Backbone(name, net, maps_of, f"timm:{name}", pretrained, inputs=_inputs(net), whole_strides=tensorflow)


def _last(net: nn.Module, image: Tensor, signed: list[bool]) -> list[Tensor]:
    maps = []
    for m, has_signs in zip(net(image)[-len(signed) :], signed, strict=True):
        m = m.permute(0, 3, 1, 2) if _channels_last(m, net) else m
        maps.append(parts(m) if has_signs and len(signed) == 3 else m)
    return maps


def _swin(name: str, stride: int, pretrained: bool, maps: int) -> Backbone:
    if maps != 4:
        raise ValueError(f"backbone {name!r} cannot give maps at stride {stride}, only a pyramid, for dfr; {ADVICE}")
    net = swin.network(name)
    return Backbone(name, net, swin.maps_of, f"timm_model:{name}", pretrained, swin.converted, _inputs(net))


def _static_padding(net: nn.Module) -> bool:
    """Pad TensorFlow's convolutions of a timm model alike whatever the size of the image, and return whether there are any."""
    from timm.layers import Conv2dSame  # pyright: ignore[reportPrivateImportUsage]

    same = [m for m in net.modules() if isinstance(m, Conv2dSame) and m.stride != (1, 1)]
    replace(net, lambda module: module in same, padded)
    return bool(same)


def _inputs(net: nn.Module) -> Inputs:
    """Return timm's metadata on the images that its weights of this name were trained with."""
    cfg: Any = net.pretrained_cfg
    return Inputs(tuple(cfg["mean"]), tuple(cfg["std"]), cfg["interpolation"])


def _in_order(net: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a checkpoint of the first PyTorch EfficientNets, whose tensors stand in timm's order, under timm's names."""
    if "_conv_stem.weight" not in state:
        return state
    body = [tensor for key, tensor in state.items() if not key.startswith("_fc.")]
    return dict(zip(net.state_dict(), body, strict=False))


def _features(name: str, stride: int) -> nn.Module:
    """Return timm's model whose last map is at a stride. Raises ValueError."""
    import timm

    make = partial(timm.create_model, name, features_only=True, pretrained=False)
    try:
        try:
            net = make(output_stride=stride)
        except (NotImplementedError, TypeError, AssertionError):
            net = make()
        with torch.no_grad():
            last = net.eval()(torch.zeros(1, 3, 64, 64))[-1]
    except (NotImplementedError, RuntimeError, AssertionError) as error:
        raise ValueError(f"backbone {name!r} cannot give maps of an image of any size ({error}); {ADVICE}") from error
    found = 64 // last.shape[1 if _channels_last(last, net) else 2]
    if found != stride:
        raise ValueError(f"backbone {name!r} has stride {found} and timm cannot dilate it to {stride}; {ADVICE}")
    return net


def _channels_last(m: Tensor, net: nn.Module) -> bool:
    return getattr(net, "output_fmt", None) is not None and str(net.output_fmt).endswith("NHWC") and m.ndim == 4


def _check_known(name: str) -> None:
    """Raise ValueError, with similar names, for a name that timm does not have."""
    import timm

    if name not in timm.list_models() and name.split(".")[0] not in timm.list_models():
        near = ", ".join(timm.list_models(f"*{name.split('_')[0]}*")[:8]) or "none of that family"
        raise ValueError(
            f"backbone {name!r} is not known; wanted tiny, resnet38, mobilenet_v2, tf_mobilenet_v2, resnet18/34/50/101 or a timm model "
            f"(near it: {near})"
        )
