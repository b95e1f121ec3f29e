"""The workflow runs from any directory; paths of settings are seen from there."""

import shutil
from pathlib import Path

import pytest

from tests.messages import lacking, only

ROOT = Path(__file__).parents[2]


@pytest.fixture
def elsewhere(project, tmp_path):
    """A project without files: it has snakemake run the repository's Snakefile, from a folder with a blank and braces."""
    project.folder = tmp_path / "else {where}"
    project.folder.mkdir()
    return project


def here(project, *arguments, fails=False):
    settings = ("--snakefile", str(ROOT / "Snakefile"), "--directory", str(project.folder))
    return project.snakemake(*arguments, *settings, fails=fails)


def test_an_empty_folder_takes_the_demo_and_the_default_profile(elsewhere):
    (elsewhere.folder / "mine.yaml").write_text("data: {scenes_train: 4, scenes_val: 2}")
    output = here(elsewhere, "results/scenes/index.json", "--configfile", "mine.yaml")
    assert (elsewhere.folder / "results/scenes/index.json").exists()
    assert "profiles/default" in output and "--scenes-train 4" in output
    assert len(output.splitlines()) < 60


def test_paths_of_settings_are_seen_from_there(elsewhere, voc):
    shutil.copytree(voc.root, elsewhere.folder / "photographs")
    (elsewhere.folder / "w.pth").touch()
    (elsewhere.folder / "mine.yaml").write_text("{dataset_root: photographs, backbone_weights: w.pth}")
    output = here(elsewhere, "-n", "--configfile", "mine.yaml")
    assert "--root photographs" in output and "--backbone-weights w.pth" in output
    here(elsewhere, "results/photographs/index.json", "--configfile", "mine.yaml")
    assert (elsewhere.folder / "results/photographs/index.json").exists()


def test_a_config_yaml_of_the_folder_counts(elsewhere):
    (elsewhere.folder / "config.yaml").write_text("shards: 3")
    assert "1-of-3.json" in here(elsewhere, "-n")
    (elsewhere.folder / "config.yaml").write_text("shard: 3")
    assert only(here(elsewhere, "-n", fails=True).splitlines(), "config.yaml: shard: ", "'shard' ... 'shards'")


def test_a_project_in_a_folder_with_braces_is_refused_in_one_line(project, tmp_path):
    project.folder = tmp_path / "my {project}"
    project.folder.mkdir()
    for path in ("Snakefile", "workflow", "envs", "profiles", "config.yaml"):
        (project.folder / path).symlink_to(ROOT / path)
    assert not lacking(project.snakemake("-n", fails=True), f"{str(project.folder)!r}", "braces")


def test_a_home_that_cannot_be_written_needs_another_cache_folder(elsewhere, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/proc/nohome")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (elsewhere.folder / "mine.yaml").write_text("data: {scenes_train: 4, scenes_val: 2}")
    here(elsewhere, "results/scenes/box/index.json", "--configfile", "mine.yaml")
    assert (elsewhere.folder / "results/scenes/box/index.json").exists()
