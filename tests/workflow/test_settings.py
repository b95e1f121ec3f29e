"""Settings and folders of users: what reaches the stages, and what is refused before anything runs."""

import re

import pytest
import yaml


def test_a_users_folder_takes_real_defaults(project, voc):
    output = project.snakemake("-n", "-p", "--config", f"dataset_root={voc.root}", "backbone_weights=none")
    assert (
        "results/voc/index.json" in output
        and "--backbone '\"mobilenet_v2\"'" in output
        and "--kind '\"voc\"'" in output
    )


def test_an_error_in_the_dataset_is_in_the_log(project, voc):
    voc.boxes("a", ("cow", 2, 3, 10, 12))
    project.snakemake("results/voc/index.json", "--config", f"dataset_root={voc.root}", fails=True)
    assert "class 'cow'" in (project.folder / "logs" / "voc" / "data.log").read_text()
    assert not (project.folder / "results").exists() or not list((project.folder / "results").rglob("*.json"))


def test_missing_weak_labels_are_told_before_anything_is_trained(project, voc):
    (voc.root / "Annotations" / "a.xml").unlink()
    output = project.snakemake(
        "--cores", "1", "--config", f"dataset_root={voc.root}", "backbone_weights=none", fails=True
    )
    assert "no boxes for training image a" in (project.folder / "logs" / "voc" / "box" / "weak_index.log").read_text()
    assert "Classifier on" not in output


@pytest.mark.parametrize(
    "change, message",
    [
        ({"seeds": {"kep": 0.4}}, "kep"),
        ({"seeds": {"keep": 2}}, "2 is greater than the maximum of 1"),
        ({"shards": 0}, "0 is less than the minimum of 1"),
        ({"sedes": {}}, "sedes"),
    ],
)
def test_a_wrong_config_fails_before_anything_runs(project, change, message):
    path = project.folder / "config.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | change))
    assert message in project.snakemake("-n", fails=True)


def test_an_unknown_variant_is_named_with_what_there_is(project):
    assert "no variant 'best' in config; there are" in project.snakemake("-n", "--config", "variant=best", fails=True)


def test_the_segmenter_may_have_a_backbone_and_weights_of_its_own(project, voc):
    (project.folder / "more.yaml").write_text("segment: {backbone: resnet18, backbone_weights: gone.pth, head: pspnet}")
    settings = (
        "-n",
        "-p",
        "--configfile",
        "more.yaml",
        "--config",
        f"dataset_root={voc.root}",
        "backbone_weights=none",
    )
    assert re.search(
        r"Missing input files for rule s7_segment:.*gone\.pth", project.snakemake(*settings, fails=True), re.S
    )
    (project.folder / "gone.pth").touch()
    output = project.snakemake(*settings)
    (segment,) = [line for line in output.splitlines() if "stages.s7_segment" in line]
    (classifier,) = [line for line in output.splitlines() if "stages.s1_classifier" in line]
    assert "--backbone '\"resnet18\"'" in segment and "--backbone-weights '\"gone.pth\"'" in segment
    assert "--head '\"pspnet\"'" in segment
    assert "--backbone '\"mobilenet_v2\"'" in classifier and "--backbone-weights none" in classifier


def test_one_file_of_weights_for_two_backbones_fails_before_anything_runs(project, voc):
    (project.folder / "more.yaml").write_text("segment: {backbone: resnet18}")
    settings = ("--configfile", "more.yaml", "--config", f"dataset_root={voc.root}", "backbone_weights=m.pth")
    assert "Set segment.backbone_weights to a file" in project.snakemake("-n", *settings, fails=True)
