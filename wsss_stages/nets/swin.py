"""Swin Transformers of timm as backbones: four maps of an image of any size, normed as UPerNet expects them."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

DROP_PATH = 0.3
"""Rate at which the last block is skipped in training, as Swin's authors segment; earlier ones less often."""


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of every node."""

    def forward(self, m: Float[Tensor, "b d h w"]) -> Float[Tensor, "b d h w"]:
        return super().forward(m.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def network(name: str) -> Any:
    """Return timm's model with a norm for each of its four maps, `out_norms`, which no checkpoint fills."""
    import timm

    any_size: Any = {
        "strict_img_size": False,
        "always_partition": True,
    }  # windows shift at every stage, as large as named
    net: Any = timm.create_model(name, pretrained=False, num_classes=0, drop_path_rate=DROP_PATH, **any_size)
    net.norm = nn.Identity()  # of the classifier
    net.out_norms = nn.ModuleList(ChannelNorm(stage["num_chs"]) for stage in net.feature_info)
    return net


def maps_of(net: Any, image: Float[Tensor, "b 3 h w"]) -> list[Tensor]:
    """Return the normed maps at strides 4, 8, 16 and 32."""
    h, w = image.shape[2:]
    image = F.pad(image, (0, -w % 4, 0, -h % 4))
    found = net.forward_intermediates(image, intermediates_only=True)
    return [norm(m) for norm, m in zip(net.out_norms, found, strict=True)]


def converted(net: nn.Module, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return a checkpoint of timm or of Swin's authors under timm's names; position biases are resized to the windows."""
    from timm.models.swin_transformer import checkpoint_filter_fn

    try:
        return checkpoint_filter_fn(dict(state), net)
    except AttributeError:  # tables of blocks that this network lacks; loading reports what does not fit
        return state
