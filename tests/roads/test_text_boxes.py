"""Boxes of tags by words: a tiny random Grounding DINO in a real folder."""

import numpy as np
import pytest
import torch

from tests.messages import raises
from wsss_stages.config.options import Masks
from wsss_stages.roads.text_boxes import TextBoxes
from wsss_stages.training.model_folders import ModelFolderError

VOCABULARY = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?", "cat", "dining", "table")


@pytest.fixture
def folder(tmp_path):
    from transformers import (
        BertConfig,
        BertTokenizer,
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        GroundingDinoImageProcessor,
        GroundingDinoProcessor,
        SwinConfig,
    )

    made = tmp_path / "detector"
    made.mkdir()
    (made / "vocab.txt").write_text("\n".join(VOCABULARY))
    backbone = SwinConfig(
        embed_dim=12, depths=[1, 1, 1, 1], num_heads=[1, 2, 2, 4], window_size=4, image_size=64,
        out_features=["stage2", "stage3", "stage4"],
    )  # fmt: skip
    words = BertConfig(
        vocab_size=len(VOCABULARY), hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24
    )
    config = GroundingDinoConfig(
        backbone_config=backbone, text_config=words, d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, num_queries=10, disable_custom_kernels=True,
    )  # fmt: skip
    torch.manual_seed(0)
    GroundingDinoForObjectDetection(config).save_pretrained(made)
    pixels = GroundingDinoImageProcessor(size={"shortest_edge": 64, "longest_edge": 96})
    GroundingDinoProcessor(pixels, BertTokenizer(str(made / "vocab.txt"))).save_pretrained(made)
    return made


def test_a_tiny_random_detector_answers_with_boxes_inside_the_image(folder):
    opt = Masks(source="sam", text_boxes_model=str(folder), text_score=0.0)
    words = TextBoxes.build(opt, ["background", "dining_table", "cat"], "cpu")
    image = np.random.default_rng(0).integers(0, 255, (60, 90, 3), dtype=np.uint8)
    found = words.prompts(image, 1)
    assert found and len(words.weights) == 64
    for prompt in found:
        x0, y0, x1, y1 = prompt.box
        assert (prompt.cls, prompt.kind) == (1, "tag") and 0 <= x0 < x1 <= 90 and 0 <= y0 < y1 <= 60
    sure = Masks(source="sam", text_boxes_model=str(folder), text_score=1.0)
    assert TextBoxes.build(sure, ["background", "cat"], "cpu").prompts(image, 1) == []


def test_a_folder_of_another_kind_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "sam2"}')
    with raises(ModelFolderError, "config.json", "sam2", "grounding-dino", "masks.text_boxes_model"):
        TextBoxes.build(Masks(source="sam", text_boxes_model=str(tmp_path)), ["background"], "cpu")
