"""Backbones by name: three rectified maps at a chosen stride, or a pyramid of four maps."""

from wsss_stages.nets import timm_nets
from wsss_stages.nets.backbone import Backbone
from wsss_stages.nets.families import FAMILIES
from wsss_stages.nets.frozen_norm import fold_norms
from wsss_stages.nets.inputs import MEAN, STD, normalise

__all__ = ["MEAN", "STD", "Backbone", "build", "normalise", "pyramid"]


def build(name: str, stride: int, pretrained: bool) -> Backbone:
    """Return a backbone by name, whose maps are those of its last three blocks, rectified.

    Args:
        name: tiny, resnet38, mobilenet_v2, tf_mobilenet_v2 (padded as in TensorFlow, for its weights), resnet18/34/50/101, a
            timm model with `features_only` that timm can dilate, tiny_vit, or a plain Vision Transformer of timm (nets.vit).
        stride: output stride, 8 or 16.
        pretrained: weights will be loaded (nets.weights), so batch norm is frozen.

    Raises: ValueError for an unknown name, with the known ones, or a timm model that cannot have this stride.
    """
    return _built(name, stride, pretrained, 3)


def pyramid(name: str, pretrained: bool) -> Backbone:
    """Return the same networks under the same parameter names, and timm's swin_*, with four maps at strides 4, 8, 16 and 32.

    resnet38 and tiny stay at 8 and 16. The maps of mobilenet_v2 and of Transformers are signed.
    """
    return _built(name, 32, pretrained, 4)


def skips(name: str, stride: int, pretrained: bool) -> Backbone:
    """Return the same networks as `build` under the same parameter names, with four maps, the last two at `stride`.

    The first two have strides 4 and 8. All but the last map of mobilenet_v2 are signed, and all of Transformers.
    """
    return _built(name, stride, pretrained, 4)


def _built(name: str, stride: int, pretrained: bool, maps: int) -> Backbone:
    """Return the backbone of its family, or timm's, with frozen norms folded into the convolutions before them."""
    build_it = FAMILIES[name] if name in FAMILIES else timm_nets.builder(name)
    backbone = build_it(name, stride, pretrained, maps)
    if backbone.frozen_norm and not backbone.hub.startswith("timm"):
        fold_norms(backbone.network)
    return backbone
