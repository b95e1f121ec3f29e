"""Vision Transformers among the backbones, by name: they stay frozen unless an option says otherwise."""

FAMILIES = ("aimv2_", "beit3_", "deit", "eva", "flexivit_", "vit_")
"""Beginnings of timm's names; a test compares them with the models of `nets.vit`."""
FROZEN = 1.0
"""`frozen_share` of their trainings where it is left out: few images teach such a network less than it forgets."""


def is_transformer(backbone: str) -> bool:
    """Return whether a backbone is a plain Vision Transformer; empty names none."""
    return backbone == "tiny_vit" or backbone.startswith(FAMILIES)
