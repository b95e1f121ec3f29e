"""A tiny random CLIP as a real model folder, with a tokenizer that knows the letters."""

import json
import string
from pathlib import Path

import torch


def tiny_clip(folder: Path, patch: int = 16) -> Path:
    """Write the folder and return it."""
    from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

    marks = [*string.ascii_lowercase, *string.digits, *"!?.,"]
    vocabulary = [*marks, *(mark + "</w>" for mark in marks), "<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(vocabulary)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    CLIPTokenizer.from_pretrained(folder).save_pretrained(folder)
    end = len(vocabulary) - 1
    shared = {"hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 3}
    config = CLIPConfig(
        text_config=shared
        | {"vocab_size": len(vocabulary), "max_position_embeddings": 77, "bos_token_id": end - 1, "eos_token_id": end, "pad_token_id": end},
        vision_config=shared | {"image_size": 4 * patch, "patch_size": patch},
        projection_dim=20,
    )  # fmt: skip
    torch.manual_seed(0)
    model = CLIPModel(config)
    for parameter in model.parameters():  # as large as trained ones, so that words differ
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(folder)
    return folder
