"""Faults of a configuration: one line each, with file, key, what was found, what was wanted and the nearest name."""

from pathlib import Path

import pytest

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
    "text, line",
    [
        ("segment: {epoch: 3}", "segment.epoch: found an unknown name 'epoch'; did you mean 'epochs'?"),
        ("segment: {qqq: 3}", "segment.qqq: found an unknown name 'qqq'; wanted one of "),
        ("segment: {epochs: three}", "segment.epochs: found 'three'; wanted an integer at least 1"),
        ("segment: {epochs: yes}", "segment.epochs: found True; wanted an integer at least 1"),
        ("segment: {head: psp}", "segment.head: found 'psp'; wanted one of deeplab_v3, "),
        ("segment: 3", "segment: found 3; wanted a mapping of options: "),
        ("seeds: {crf: {step: 9}}", "seeds.crf.step: found 9; wanted an integer at least 1, at most 8"),
        ("seeds: {crf: 5}", "seeds.crf: found 5; wanted options: iterations"),
        ("cam: {scales: []}", "cam.scales: found []; wanted a list of numbers, not empty"),
        ("dfr: {blocks: [5]}", "dfr.blocks: found 5; wanted a list of {1,2,3,4}"),
        ("weak: boxes", "weak: found 'boxes'; wanted one of box, scribble, point, tag, mixed"),
        ("dataset_root:", "dataset_root: found nothing; wanted a text"),
        ("dataset: a/b", "dataset: found 'a/b'; wanted letters, digits"),
        ("device: gpu", "device: found 'gpu'; wanted auto, cpu, cuda or cuda:N"),
        ("weka: box", "weka: found an unknown name 'weka'; did you mean 'weak'?"),
        ("demo: {segment: {epochs: 0}}", "demo.segment.epochs: found 0; wanted"),
        ("demo: {shards: 0}", "demo.shards: found 0; wanted"),
        ("variants: {mine: {segment: {epochs: 0}}}", "variants.mine.segment.epochs: found 0; wanted"),
        ("variants: {mine: {tag: {segment: {epochs: 0}}}}", "variants.mine.tag.segment.epochs: found 0; wanted"),
        ("variants: {mine: {bas: ours}}", "variants.mine.bas: found an unknown name 'bas'; did you mean 'base'?"),
        ("variants: {mine: }", "variants.mine: found nothing; wanted a mapping of overrides"),
        ("variants: {2024: {}}", "variants.2024: found the name 2024; wanted letters"),
        (
            "variants: {mine: {base: [ours]}}",
            "variants.mine.base: found ['ours']; wanted a text, the name of a variant",
        ),
    ],
)
def test_a_fault_is_one_line(load, text, line):
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert str(caught.value).startswith(f"mine.yaml: {line}") and "\n" not in str(caught.value)


def test_all_faults_are_reported_at_once(load):
    with pytest.raises(ConfigError) as caught:
        load("{segment: {lr: 0, epochs: 0}, shards: 0}", "weak=boxes")
    assert [line.split(": found")[0] for line in str(caught.value).splitlines()] == [
        "--config: weak", "mine.yaml: shards", "mine.yaml: segment.lr", "mine.yaml: segment.epochs",
    ]  # fmt: skip


def test_options_that_contradict_each_other_are_reported_with_their_variant(load):
    text = "variants: {mine: {base: dfr, dfr: {accumulate: 8}}}"
    load(text)
    with pytest.raises(ConfigError, match=r"^variant mine: dfr: found batch_size \d+ and accumulate 8"):
        load(text, "variant=mine")


def test_the_nearest_variant_is_named(load):
    with pytest.raises(ConfigError, match=r"no variant 'thesiss' .*; did you mean 'thesis'\?"):
        load("", "variant=thesiss")


@pytest.mark.parametrize("text", ["2024_05", "007", "1e3", "on", "2024-05-01", "0x10"])
def test_a_name_in_a_file_may_look_like_a_number(load, text):
    config = load(f"{{dataset: {text}, dataset_root: {text}, data: {{train_list: {text}}}}}")
    assert (config["dataset_root"], config["data"]["train_list"]) == (text, text)


def test_a_name_on_the_command_line_that_is_a_number_is_refused_with_what_to_write(load):
    with pytest.raises(ConfigError, match=r"^--config: dataset_root: found 202405; .* a folder dataset_root=\./NAME$"):
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
