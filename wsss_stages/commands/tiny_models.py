"""Write tiny models with random weights, real folders of transformers: for the demo and the tests of the way, never for masks.

    python -m wsss_stages.commands.tiny_models sam2 FOLDER

A random network finds no objects. What it shows is that a model's folder is read, asked and recorded as a trained one is.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch

SIDE = 128
"""Pixels of the input of the tiny networks of SAM 2's kind."""


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("family", choices=sorted(FAMILIES), help="kind of the model")
    parser.add_argument("folder", type=Path, help="where to write; a model that lies there already is kept")
    args = parser.parse_args(argv)
    if not (args.folder / "model.safetensors").is_file():
        write(args.family, args.folder)


def write(family: str, folder: Path) -> None:
    """Write a model of one of FAMILIES, the same one every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model, processor = FAMILIES[family]()
    folder.mkdir(parents=True, exist_ok=True)
    processor.save_pretrained(folder)
    model.save_pretrained(folder)


def sam2():
    """Return a SAM 2 of half a million parameters and its processor."""
    from transformers import Sam2Config, Sam2ImageProcessor, Sam2Model, Sam2Processor
    from transformers.models.sam2.configuration_sam2 import (
        Sam2HieraDetConfig,
        Sam2MaskDecoderConfig,
        Sam2PromptEncoderConfig,
        Sam2VisionConfig,
    )

    backbone = Sam2HieraDetConfig(
        hidden_size=12, image_size=[SIDE, SIDE], patch_kernel_size=[7, 7], patch_stride=[4, 4], patch_padding=[3, 3],
        blocks_per_stage=[1, 2, 7, 2], embed_dim_per_stage=[12, 24, 48, 96], num_attention_heads_per_stage=[1, 2, 4, 8],
    )  # fmt: skip
    vision = Sam2VisionConfig(
        backbone_config=backbone, backbone_channel_list=[96, 48, 24, 12], backbone_feature_sizes=[[32, 32], [16, 16], [8, 8]],
        fpn_hidden_size=32,
    )  # fmt: skip
    prompts = Sam2PromptEncoderConfig(hidden_size=32, image_size=SIDE, patch_size=16, mask_input_channels=8)
    decoder = Sam2MaskDecoderConfig(hidden_size=32, mlp_dim=64, num_attention_heads=4, iou_head_hidden_dim=32)
    config = Sam2Config(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder)
    pixels = Sam2ImageProcessor(size={"height": SIDE, "width": SIDE})
    return Sam2Model(config), Sam2Processor(image_processor=pixels, target_size=SIDE)


def sam():
    """Return a SAM of a hundred thousand parameters and its processor."""
    from transformers import SamConfig, SamImageProcessor, SamModel, SamProcessor

    vision = {
        "hidden_size": 36, "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 64, "patch_size": 8, "mlp_dim": 72,
        "output_channels": 32, "global_attn_indexes": [1], "window_size": 4, "num_pos_feats": 16,
    }  # fmt: skip
    prompts = {"hidden_size": 32, "image_size": 64, "patch_size": 8}
    decoder = {"hidden_size": 32, "mlp_dim": 64, "num_attention_heads": 4, "iou_head_hidden_dim": 32}
    config = SamConfig(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder)
    pixels = SamImageProcessor(size={"longest_edge": 64}, pad_size={"height": 64, "width": 64})
    return SamModel(config), SamProcessor(image_processor=pixels)


FAMILIES: dict[str, Callable] = {"sam": sam, "sam2": sam2}

if __name__ == "__main__":
    main()
