"""Vision Transformers as backbones: signed maps of evenly spread blocks at any stride, of an image of any size."""

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from wsss_stages.nets.backbone import Backbone, State, parts
from wsss_stages.nets.inputs import IMAGENET, Inputs

MODULES = ("deit", "eva", "vision_transformer")
"""timm's modules of plain Vision Transformers: DINO, DINOv2, DINOv3, CLIP, SigLIP, MAE, DeiT and EVA are among them."""
COARSEST = 16
"""Stride of the Transformer's own nodes where a pyramid reaches down to 32."""
QUARTERS = (1, 2, 3, 4)
"""Quarters of the depth after which maps are taken: of 12 blocks the 3rd, 6th, 9th and 12th."""


def is_transformer(name: str) -> bool:
    """Return whether a name that timm knows is a plain Vision Transformer's."""
    from timm.models import model_entrypoint

    return model_entrypoint(name.split(".")[0]).__module__.rpartition(".")[2] in MODULES


def timm_transformer(name: str, stride: int, pretrained: bool, maps: int) -> Backbone:
    """Return timm's model as a backbone. Raises ValueError for one that takes images of one size alone."""
    import timm

    try:
        net = timm.create_model(name, pretrained=False, num_classes=0, dynamic_img_size=True)
        return backbone_of(name, net, stride, pretrained, maps, f"timm_model:{name}")
    except (TypeError, AssertionError, RuntimeError) as error:
        raise ValueError(
            f"backbone {name!r} cannot give maps of an image of any size ({error}); take another Vision Transformer, such as "
            "vit_small_patch14_dinov2"
        ) from error


def backbone_of(name: str, net: nn.Module, stride: int, pretrained: bool, maps: int, hub: str = "") -> Backbone:
    """Return a Transformer of timm's kind as a backbone, whose positions are resampled to every image.

    Three maps lie at `stride`, split into positive and negative parts as those of other signed networks; four are signed and
    lie at strides 4, 8 and twice `stride`, or as a pyramid at 4, 8, 16 and 32.

    The image is resized so that a patch covers `stride` pixels of it (16 for a pyramid): a patch of 14 sees at stride 16
    the image at 7/8 of its size, a patch of 16 sees at stride 8 the image at twice its size. Nodes are the centres of
    patches. Maps at other strides than the nodes' are drawn between them, so that heads find the strides that they count in.
    """
    nodes = min(stride, COARSEST)
    strides = (stride,) * 3 if maps == 3 else (4, 8, 16, 32) if stride == 32 else (4, 8, stride, stride)
    maps_of = partial(_maps, nodes=nodes, strides=strides)
    cfg = getattr(net, "pretrained_cfg", None) or {}
    inputs = Inputs(tuple(cfg["mean"]), tuple(cfg["std"]), cfg["interpolation"]) if "mean" in cfg else IMAGENET
    return Backbone(name, net, maps_of, hub, pretrained, converted, inputs, whole_strides=True, strides=strides)


def converted(net: nn.Module, state: State) -> State:
    """Return a checkpoint of timm or of the network's authors under timm's names, with positions at the network's own number.

    Patches of another side stay as they are, so that loading reports them.
    """
    wanted = net.get_parameter("patch_embed.proj.weight").shape
    found = state.get("patch_embed.proj.weight", state.get("visual.conv1.weight"))
    if found is not None and found.ndim == 4 and found.shape[-2:] != wanted[-2:]:
        return state
    resampled = sys.modules[type(net).__module__].checkpoint_filter_fn
    return resampled(dict(state), net)


def taps(depth: int, maps: int) -> list[int]:
    """Return the blocks, counted from 0, whose outputs are the last maps of four that are spread evenly over the depth."""
    return [-(-depth * quarter // 4) - 1 for quarter in QUARTERS][-maps:]


def _maps(
    net: Any, image: Float[Tensor, "b c h w"], nodes: int, strides: Sequence[int]
) -> list[Float[Tensor, "b d _ _"]]:
    """Return normed maps of an image whose sides are multiples of all strides; registers and class tokens are no nodes."""
    h, w = image.shape[2:]
    size = tuple(n // nodes * side for n, side in zip((h, w), net.patch_embed.patch_size, strict=True))
    if size != (h, w):
        image = F.interpolate(image, size, mode="bilinear", align_corners=False, antialias=True)
    blocks = taps(len(net.blocks), len(strides))
    indices = sorted(set(blocks))
    found = net.forward_intermediates(image, indices=indices, stop_early=True, intermediates_only=True)
    normed = {block: _normed(net, m) for block, m in zip(indices, found, strict=True)}
    drawn = [_at(normed[block], (h // s, w // s)) for block, s in zip(blocks, strides, strict=True)]
    return [parts(m) for m in drawn] if len(strides) == 3 else drawn


def _normed(net: Any, m: Float[Tensor, "b d y x"]) -> Float[Tensor, "b d y x"]:
    """Return a map after the network's last norm, which stands after the pooling where tokens are averaged."""
    norm = net.fc_norm if isinstance(net.norm, nn.Identity) else net.norm
    return norm(m.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def _at(m: Float[Tensor, "b d y x"], size: tuple[int, int]) -> Float[Tensor, "b d v u"]:
    same = tuple(m.shape[2:]) == size
    return m if same else F.interpolate(m, size, mode="bilinear", align_corners=False)
