"""Faults of a configuration: one line each, with file, key, what was found, what was wanted and the nearest name."""

from pathlib import Path

import pytest

from tests.messages import raises
from wsss_stages.config import variants
from wsss_stages.config.check import ConfigError

CONFIG = Path(__file__).parents[2] / "config.yaml"


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Read a file mine.yaml over config.yaml, and settings of a command line over both."""
    monkeypatch.chdir(tmp_path)

    def of(text, *values):
        (tmp_path / "mine.yaml").write_text(text)
        return variants.load([CONFIG, tmp_path / "mine.yaml"], list(values))

    return of


@pytest.mark.parametrize(
    "text, key, words",
    [
        ("segment: {epoch: 3}", "segment.epoch", "'epoch' ... 'epochs'"),
        ("segment: {qqq: 3}", "segment.qqq", "'qqq' ... backbone, "),
        ("segment: {epochs: three}", "segment.epochs", "'three' ... integer ... 1"),
        ("segment: {epochs: yes}", "segment.epochs", "True ... integer ... 1"),
        ("segment: {head: psp}", "segment.head", "'psp' ... deeplab_v3, "),
        ("segment: 3", "segment", "3 ... options"),
        ("seeds: {crf: {step: 9}}", "seeds.crf.step", "9 ... integer ... 1 ... 8"),
        ("seeds: {crf: 5}", "seeds.crf", "5 ... options ... iterations"),
        ("cam: {scales: []}", "cam.scales", "[] ... list of numbers"),
        ("dfr: {blocks: [5]}", "dfr.blocks", "5 ... list ... {1,2,3,4}"),
        ("weak: boxes", "weak", "'boxes' ... box, scribble, point, tag, mixed"),
        ("dataset_root:", "dataset_root", "text"),
        ("dataset: a/b", "dataset", "'a/b' ... letters, digits"),
        ("device: gpu", "device", "'gpu' ... auto, cpu, cuda or cuda:N"),
        ("weka: box", "weka", "'weka' ... 'weak'"),
        ("variants: {mine: {segment: {epochs: 0}}}", "variants.mine.segment.epochs", "0 ... integer ... 1"),
        ("variants: {mine: {tag: {segment: {epochs: 0}}}}", "variants.mine.tag.segment.epochs", "0 ... integer ... 1"),
        ("variants: {mine: {bas: ours}}", "variants.mine.bas", "'bas' ... 'base'"),
        ("variants: {mine: }", "variants.mine", "mapping of overrides ... {}"),
        ("variants: {2024: {}}", "variants.2024", "2024 ... letters, digits"),
        ("variants: {mine: {base: [ours]}}", "variants.mine.base", "['ours'] ... text ... variant"),
    ],
)
def test_a_fault_is_one_line(load, text, key, words):
    with raises(ConfigError, words) as caught:
        load(text)
    assert str(caught.value).startswith(f"mine.yaml: {key}: ") and "\n" not in str(caught.value)


def test_all_faults_are_reported_at_once(load):
    with pytest.raises(ConfigError) as caught:
        load("{segment: {lr: 0, epochs: 0}, shards: 0}", "weak=boxes")
    assert [": ".join(line.split(": ")[:2]) for line in str(caught.value).splitlines()] == [
        "--config: weak", "mine.yaml: shards", "mine.yaml: segment.lr", "mine.yaml: segment.epochs",
    ]  # fmt: skip


def test_options_that_contradict_each_other_are_reported_with_their_variant(load):
    text = "variants: {mine: {base: dfr, dfr: {accumulate: 8}}}"
    load(text)
    with raises(ConfigError, "batch_size", "accumulate 8") as caught:
        load(text, "variant=mine")
    assert str(caught.value).startswith("variant mine: dfr: ")


def test_the_nearest_variant_is_named(load):
    with raises(ConfigError, "variant 'thesiss' ... 'thesis'"):
        load("", "variant=thesiss")


@pytest.mark.parametrize("text", ["2024_05", "007", "1e3", "on", "2024-05-01", "0x10"])
def test_a_name_in_a_file_may_look_like_a_number(load, text):
    config = load(f"{{dataset: {text}, dataset_root: {text}, data: {{train_list: {text}}}}}")
    assert (config["dataset_root"], config["data"]["train_list"]) == (text, text)


def test_a_name_on_the_command_line_that_is_a_number_is_refused_with_what_to_write(load):
    with raises(ConfigError, "--config: dataset_root: ", "202405", "dataset_root=./NAME"):
        load("", "dataset_root=2024_05")
    assert load("", 'dataset="2024_05"', "dataset_root=/p")["dataset"] == "2024_05"


def test_numbers_that_snakemake_leaves_texts_are_numbers(load):
    config = load("segment: {stride: '8', lr: '1e-3'}\ndfr: {blocks: ['1', '2']}")
    assert variants.section(config, "segment")["stride"] == 8
    assert variants.section(config, "dfr")["blocks"] == [1, 2]


def test_a_section_without_a_line_keeps_its_defaults(load):
    assert variants.section(load("segment:", "dataset_root=/p"), "segment")["epochs"] == 20


def test_a_tilde_is_the_users_home(load, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    text = "{dataset_root: ~/p, backbone_weights: ~/w.pth, data: {weak_labels: ~/l, saliency: ~/s}, dfr: {backbone_weights: ~/d}}"
    config = load(text)
    assert (config["dataset_root"], config["backbone_weights"]) == ("/home/ada/p", "/home/ada/w.pth")
    data = variants.section(config, "data")
    assert (data["weak_labels"], data["saliency"]) == ("/home/ada/l", "/home/ada/s")
    assert variants.section(config, "dfr")["backbone_weights"] == "/home/ada/d"
    assert variants.section(config, "segment")["backbone_weights"] == "/home/ada/w.pth"


def test_without_a_dataset_the_demo_lies_over_the_projects_files_and_below_what_is_given(load, tmp_path):
    assert variants.section(load(""), "classifier")["backbone"] == "tiny"
    (tmp_path / "config.yaml").write_text("classifier: {backbone: resnet18, crop: 64, batch_size: 5}")
    (tmp_path / "mine.yaml").write_text("classifier: {crop: 99}")
    config = variants.load([CONFIG, tmp_path / "mine.yaml"], ["shards=7"], variants.own_file())
    classifier = variants.section(config, "classifier")
    assert (classifier["backbone"], classifier["crop"], classifier["batch_size"]) == ("tiny", 99, 5)
    assert (config["dataset"], config["backbone_weights"], config["shards"]) == ("scenes", "none", 7)


def test_with_a_folder_nothing_of_the_demo_is_left(load):
    config = load("", "dataset_root=/p")
    assert variants.section(config, "classifier")["backbone"] == "mobilenet_v2"
    assert (config["dataset"], config["backbone_weights"]) == ("p", "hub")


@pytest.mark.parametrize("text", ["dataset: mine", "data: {kind: coco}"])
def test_a_dataset_without_a_folder_is_no_demo(load, text):
    with raises(ConfigError, "dataset_root: found none"):
        load(text)


def test_the_demo_may_have_another_name(load):
    demo = (CONFIG.parent / variants.DEMO).read_text()
    assert load(demo.replace("dataset: scenes", "dataset: other"))["dataset"] == "other"
