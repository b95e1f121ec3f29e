"""What a configuration means: the segmenter's backbone and weights."""

import re
from pathlib import Path

import pytest

from wsss_stages import configuration

CONFIG = Path(__file__).parents[1] / "config.yaml"


def load(tmp_path, text, *values):
    more = tmp_path / "more.yaml"
    more.write_text(text)
    return configuration.load([CONFIG, more], ["dataset_root=/photographs", *values])


@pytest.mark.parametrize(
    "text, values, backbone, source",
    [
        ("classifier: {backbone: resnet50}", ["backbone_weights=r50.pth"], "resnet50", "r50.pth"),
        ("segment: {backbone: resnet101}", [], "resnet101", "hub"),
        ("segment: {backbone: mobilenet_v2}", ["backbone_weights=m.pth"], "mobilenet_v2", "m.pth"),
        ("segment: {backbone: resnet101, backbone_weights: r.pth}", ["backbone_weights=m.pth"], "resnet101", "r.pth"),
        ("segment: {backbone_weights: other.pth}", ["backbone_weights=m.pth"], "mobilenet_v2", "other.pth"),
    ],
)
def test_the_segmenters_backbone_is_the_classifiers_unless_named(tmp_path, text, values, backbone, source):
    segment = configuration.section(load(tmp_path, text, *values), "segment", "ours")
    assert (segment["backbone"], segment["backbone_weights"]) == (backbone, source)


def test_one_file_of_weights_is_not_of_two_backbones(tmp_path):
    message = "segment.backbone is 'resnet101' and classifier.backbone 'mobilenet_v2'; backbone_weights 'm.pth'"
    with pytest.raises(configuration.ConfigError, match=re.escape(message)):
        load(tmp_path, "segment: {backbone: resnet101}", "backbone_weights=m.pth")
    other = "variants: {larger: {base: ours, segment: {backbone: resnet101}}}"
    config = load(tmp_path, other, "backbone_weights=m.pth")
    with pytest.raises(configuration.ConfigError, match=r"Set segment\.backbone_weights"):
        configuration.section(config, "segment", "larger")


def test_a_variant_with_another_head_trains_and_predicts_only(tmp_path):
    config = load(tmp_path, "variants: {psp: {base: ours, segment: {head: pspnet}}}")
    homes = {stage: configuration.home(config, "psp", stage) for stage in configuration.STAGES}
    own = {stage for stage, variant in homes.items() if variant == "psp"}
    assert own == {"s7_segment", "s8_predict", "s9_evaluate"}
