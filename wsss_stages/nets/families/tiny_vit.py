"""A small Vision Transformer, for tests and the demo."""

from wsss_stages.nets.backbone import Backbone
from wsss_stages.nets.families import family
from wsss_stages.nets.vit import backbone_of


@family("tiny_vit")
def tiny_vit(name: str, stride: int, pretrained: bool, maps: int) -> Backbone:
    """Return the backbone of a Transformer of four blocks on patches of 16 pixels, with a class token and a register."""
    from timm.models.vision_transformer import VisionTransformer  # seconds, which other networks need not wait

    net = VisionTransformer(
        img_size=64,
        patch_size=16,
        embed_dim=24,
        depth=4,
        num_heads=3,
        reg_tokens=1,
        num_classes=0,
        dynamic_img_size=True,
    )
    return backbone_of(name, net, stride, pretrained, maps)
