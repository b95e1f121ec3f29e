"""A folder's project: name, kind, settings by content and command line, and wsss.yaml, which both wsss and snakemake read."""

import argparse
from pathlib import Path

import pytest
import yaml

from tests.messages import lacking, raises
from wsss_stages.commands import check, project, settings
from wsss_stages.commands.plan import __main__ as plan
from wsss_stages.commands.project import Project, ProjectError
from wsss_stages.config import home, variants
from wsss_stages.config.check import ConfigError


@pytest.fixture
def mine(voc, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Project.of(voc.root, Path(), {})


@pytest.mark.parametrize(
    ("name", "wanted"), [("my photos", "my_photos"), ("été", "_t_"), ("-x", "_-x"), ("a.b", "a.b")]
)
def test_a_folder_s_name_becomes_one_that_results_may_have(tmp_path, name, wanted):
    (tmp_path / name).mkdir()
    assert project.legal_name(tmp_path / name) == wanted


def test_a_zip_is_named_without_its_suffix(tmp_path):
    (tmp_path / "export.zip").touch()
    assert project.legal_name(tmp_path / "export.zip") == "export"


def test_the_workflow_is_found_beside_the_package_or_inside_it(monkeypatch, tmp_path):
    assert home.snakefile() == Path(__file__).parents[2] / "Snakefile"
    monkeypatch.setattr(home, "CANDIDATES", (tmp_path, tmp_path / "inside"))
    with raises(FileNotFoundError, "Snakefile", "pip install"):
        home.snakefile()
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "Snakefile").touch()
    assert home.snakefile() == tmp_path / "inside" / "Snakefile"


def test_jobs_of_another_environment_import_the_package_and_no_other(monkeypatch, tmp_path):
    assert home.import_folder(tmp_path / "own") == Path(__file__).parents[2] and not (tmp_path / "own").exists()
    installed = tmp_path / "site-packages" / "wsss_stages"
    (installed / "project").mkdir(parents=True)
    (installed / "project" / "Snakefile").touch()
    (installed.parent / "torch").mkdir()
    monkeypatch.setattr(home, "PACKAGE", installed)
    monkeypatch.setattr(home, "CANDIDATES", (installed.parent, installed / "project"))
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "wsss_stages").symlink_to(tmp_path / "an_older_one")
    for _ in range(2):
        assert home.import_folder(tmp_path / "own") == tmp_path / "own"
        assert [path.resolve() for path in (tmp_path / "own").iterdir()] == [installed]


def test_first_settings_are_kind_and_weights(mine, capsys, monkeypatch):
    monkeypatch.setattr(project, "package_file", lambda backbone: Path(backbone))
    chosen = settings.first(mine, {"variant": "truth"})
    assert (
        chosen["dataset_root"] == str(mine.root) and chosen["data"] == {"kind": "voc"} and chosen["variant"] == "truth"
    )
    lite = yaml.safe_load((Path(__file__).parents[2] / "workflow/runs/lite2.yaml").read_text())
    assert {key: chosen[key] for key in lite} == lite
    assert not lacking(capsys.readouterr().out, "kind voc", lite["classifier"]["backbone"])

    def missing(backbone):
        raise project.WeightsError(backbone)

    monkeypatch.setattr(project, "package_file", missing)
    assert "backbone_weights" not in settings.first(mine, {})
    assert not lacking(capsys.readouterr().out, "MobileNetV2", "wsss-stages[weights]")
    assert settings.first(mine, {"backbone_weights": "none"})["backbone_weights"] == "none"


def test_a_folder_of_two_kinds_is_asked_for(voc, mine):
    (voc.root / "annotations.xml").write_text("<annotations><version>1.1</version><meta/></annotations>")
    with raises(ProjectError, "voc and of cvat", "--kind voc or --kind cvat"):
        settings.first(mine, {})
    assert settings.first(mine, {"data": {"kind": "voc"}})["data"]["kind"] == "voc"


def test_wsss_yaml_is_read_as_written_and_means_the_same_to_snakemake(mine):
    chosen = {"dataset": mine.name, "dataset_root": str(mine.root), "weak": "point", "data": {"kind": "voc"}}
    mine.write(chosen)
    assert mine.file == mine.home / "results" / "voc" / "wsss.yaml" and mine.read() == chosen
    text = mine.file.read_text()
    assert not lacking(text, f"--configfile {mine.file}", f"--directory {mine.home}")
    config = variants.load([variants.DEFAULTS, mine.file], [])
    assert mine.config(chosen) == config and config["weak"] == "point"
    assert mine.config(chosen | {"variant": "truth"})["variant"] == "truth"


def test_faults_of_wsss_yaml_name_the_file(mine):
    mine.write({"dataset": mine.name, "dataset_root": str(mine.root), "weak": "boxes"})
    with raises(ConfigError, "wsss.yaml", "weak", "'boxes'"):
        mine.config(mine.read())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a: [", ["wsss.yaml", "YAML"]),
        ("- a", ["wsss.yaml", "KEY: VALUE"]),
        ("dataset_root: /other", ["/other", "dataset=NAME"]),
    ],
)
def test_another_s_settings_are_refused(mine, content, words):
    mine.file.parent.mkdir(parents=True)
    mine.file.write_text(content)
    with raises(ProjectError, *words):
        mine.read()


def test_results_do_not_go_into_the_folder_of_photographs(voc):
    with raises(ProjectError, "inside", "--results"):
        Project.of(voc.root, voc.root / "out", {})
    with raises(ProjectError, "nowhere", "Correct the path"):
        Project.of(voc.root / "nowhere", Path(), {})


def test_another_command_line_changes_wsss_yaml_only_when_agreed(mine, capsys, monkeypatch):
    before = {"weak": "box", "data": {"kind": "voc"}}
    assert settings.agreed(mine, before, {"weak": "box"}, False) == before
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    with raises(ProjectError, "wsss.yaml", "weak", "--yes"):
        settings.agreed(mine, before, {"weak": "point"}, False)
    assert not lacking(capsys.readouterr().out, "weak: box ... point")
    changed = settings.agreed(mine, before, {"weak": "point", "data": {"limit": 3}}, True)
    assert changed == {"weak": "point", "data": {"kind": "voc", "limit": 3}}


def test_single_settings_are_snakemake_s_and_paths_are_seen_from_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("w.pth", "labels", "voc"):
        (tmp_path / name).touch()
    texts = ["backbone_weights=w.pth", "data={weak_labels: labels, kind: voc}", "data={limit: 3}"]
    data = {"weak_labels": str(tmp_path / "labels"), "kind": "voc", "limit": 3}
    assert project.parsed(texts) == {"backbone_weights": str(tmp_path / "w.pth"), "data": data}
    assert project.parsed(["backbone_weights=hub"]) == {"backbone_weights": "hub"}
    for wrong, word in (("weak", "'weak'"), ("a={", "YAML")):
        with raises(ProjectError, "--config", word, "KEY=VALUE"):
            project.parsed([wrong])


def test_check_says_what_a_folder_is_and_writes_nothing(voc, mine, capsys):
    check.main([str(voc.root)])
    assert not lacking(
        capsys.readouterr().out,
        "kind voc",
        "1 to learn from, 1 to validate on",
        "boxes on 1",
        "cat",
        "nothing is wrong",
    )
    assert [path.name for path in mine.home.iterdir()] == ["voc"]
    with raises(ValueError, "points for training image a"):
        check.main([str(voc.root), "--weak", "point"])
    voc.boxes("a", ("cow", 2, 3, 10, 12))
    voc.boxes("b", ("cat", 2, 3, 10, 99))
    with raises(ValueError, "a.xml", "cow", "b.xml"):
        check.main([str(voc.root)])


def test_plan_takes_a_folder(voc, mine, capsys):
    arguments = argparse.Namespace(folder=voc.root, results=Path(), config=["variant=truth"], configfile=[])
    config, index = plan.of_folder(arguments)
    assert (config["dataset"], config["variant"], config["data"]["kind"], index) == ("voc", "truth", "voc", None)
    mine.write(settings.first(mine, {"weak": "mixed"}))
    mine.index.touch()
    assert plan.of_folder(arguments)[0]["weak"] == "mixed" and plan.of_folder(arguments)[1] == mine.index
    arguments.configfile = [Path("mine.yaml")]
    with raises(ProjectError, "--configfile", "--config KEY=VALUE"):
        plan.of_folder(arguments)
