"""timm's models as backbones: EfficientNets, whatever `features_only` gives, and Swin Transformers."""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from wsss_stages.nets import swin
from wsss_stages.nets.backbone import Backbone
from wsss_stages.nets.inputs import Inputs
from wsss_stages.nets.padding import pad_as_tensorflow

ADVICE = "take one that timm can dilate, such as a resnet, res2net, resnest, regnet, efficientnet or convnext"


def builder(name: str) -> Callable[[int, bool, int], Backbone]:
    """Return the function of (stride, pretrained, maps) that builds a timm model. Raises ValueError for an unknown name."""
    from timm.models import model_entrypoint
    from timm.models.efficientnet import EfficientNet

    _check_known(name)
    if name.startswith("swin_"):
        return partial(_swin, name)
    of_efficientnets = model_entrypoint(name.split(".")[0]).__module__ == EfficientNet.__module__
    return partial(_efficientnet if of_efficientnets else _features_only, name)


def _efficientnet(name: str, stride: int, pretrained: bool, maps: int) -> Backbone:
    """Return taps as mobilenet_v2 has them: two blocks' rectified expansions and the last convolution; or four signed maps, of
    which the last convolution takes the last one's place where strides are traded for dilation."""
    import timm

    net = timm.create_model(name, pretrained=False, num_classes=0, output_stride=stride)
    tensorflow = _static_padding(net)
    if maps == 4:
        taps = list(map(_identity, net.feature_info[-4:]))

        def run(image: Tensor) -> None:
            last, found = net.forward_intermediates(image)
            for tap, m in zip(taps, found[-4:] if stride == 32 else [*found[-4:-1], last], strict=True):
                tap(m)
    else:
        middle, late = (net.get_submodule(stage["module"])[-1].bn1 for stage in net.feature_info[-2:])
        taps, run = [_rectified(activated) for activated in (middle, late, net.bn2)], net.forward_features
    return Backbone(
        name, net, run, taps, f"timm_model:{name}", pretrained, partial(_in_order, net), _inputs(net), tensorflow
    )


def _features_only(name: str, stride: int, pretrained: bool, maps: int) -> Backbone:
    """Return the last feature maps; of signed ones a network that is not a pyramid gives the positive and the negative part."""
    net = _features(name, stride)
    tensorflow = _static_padding(net)
    with torch.no_grad():
        image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) - 0.5
        signed = [bool(m.min() < 0) for m in net(image)[-maps:]]
    taps = list(map(_identity, signed))

    def run(image: Tensor) -> None:
        for tap, m, has_signs in zip(taps, net(image)[-maps:], signed, strict=True):
            m = m.permute(0, 3, 1, 2) if _channels_last(m, net) else m
            tap(parts(m) if has_signs and maps == 3 else m)

    return Backbone(name, net, run, taps, f"timm:{name}", pretrained, inputs=_inputs(net), whole_strides=tensorflow)


def parts(m: Float[Tensor, "b d y x"]) -> Float[Tensor, "b c y x"]:
    """Return the positive and the negative part of every channel, c = 2 d: rectified maps that have lost nothing."""
    return F.relu(torch.cat([m, -m], dim=1))


def _swin(name: str, stride: int, pretrained: bool, maps: int) -> Backbone:
    if maps != 4:
        raise ValueError(f"backbone {name!r} cannot give maps at stride {stride}, only a pyramid, for dfr; {ADVICE}")
    net = swin.network(name)
    run, converted = partial(swin.run, net), partial(swin.converted, net)
    return Backbone(name, net, run, list(net.out_norms), f"timm_model:{name}", pretrained, converted, _inputs(net))


def _static_padding(net: nn.Module) -> bool:
    """Pad TensorFlow's convolutions of a timm model alike whatever the size of the image, and return whether there are any."""
    from timm.layers import Conv2dSame

    same = [module for module in net.modules() if isinstance(module, Conv2dSame) and module.stride != (1, 1)]
    for conv in same:
        conv.__class__ = nn.Conv2d
    pad_as_tensorflow(same)
    return bool(same)


def _inputs(net: nn.Module) -> Inputs:
    """Return what timm says of the images that its weights of this name were trained with."""
    cfg = net.pretrained_cfg
    return Inputs(tuple(cfg["mean"]), tuple(cfg["std"]), cfg["interpolation"])


def _in_order(net: nn.Module, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a checkpoint of the first PyTorch EfficientNets, whose tensors stand in timm's order, under timm's names."""
    if "_conv_stem.weight" not in state:
        return state
    body = [tensor for key, tensor in state.items() if not key.startswith("_fc.")]
    return dict(zip(net.state_dict(), body, strict=False))


def _rectified(activation: nn.Module) -> nn.Module:
    """Return a module whose output is another's, rectified where the activation is not a ReLU."""
    if isinstance(activation.act, nn.ReLU | nn.ReLU6):
        return activation
    tap = nn.Identity()

    def look(_module: nn.Module, _inputs: tuple, output: Tensor) -> None:
        tap(F.relu(output))

    activation.register_forward_hook(look)
    return tap


def _identity(_of: object) -> nn.Module:
    return nn.Identity()


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
    """Raise ValueError, with what there is near, for a name that timm does not have."""
    import timm

    if name not in timm.list_models() and name.split(".")[0] not in timm.list_models():
        near = ", ".join(timm.list_models(f"*{name.split('_')[0]}*")[:8]) or "none of that family"
        raise ValueError(
            f"backbone {name!r} is not known; wanted tiny, resnet38, mobilenet_v2, tf_mobilenet_v2, resnet18/34/50/101 or a timm model "
            f"(near it: {near})"
        )
