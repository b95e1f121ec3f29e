"""Wheel and sdist hold what they should; an installed wheel runs a folder from nothing to masks and report, without a clone."""

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.release.clean import ROOT, TINY, Clean, copy, tree
from wsss_stages.data.importers.scenes import make_scenes

PROJECT = "wsss_stages/project"
BUILD = "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"
"""The hooks that `python -m build` calls, in this environment."""


def made(hook: str, source: Path, out: Path) -> Path:
    """Return the only file that a hook of the build writes."""
    out.mkdir()
    subprocess.run([sys.executable, "-c", BUILD, hook, str(out)], cwd=source, check=True, capture_output=True)
    (path,) = out.iterdir()
    return path


class Built(NamedTuple):
    """An sdist of the project's files, and a wheel that was made from the sdist alone."""

    names: set[str]
    sdist: Path
    wheel: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    names = tree()
    copy(names, folder / "tree")
    sdist = made("build_sdist", folder / "tree", folder / "sdist")
    with tarfile.open(sdist) as archive:
        safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # of Python 3.11.4 and later
        archive.extractall(folder / "unpacked", **safe)
    (source,) = (folder / "unpacked").iterdir()
    return Built(names, sdist, made("build_wheel", source, folder / "wheel"))


def test_only_one_module_knows_where_the_workflow_lies():
    beside = re.compile(r"""parents?\b[^\n]*/ ["'](?:Snakefile|config\.yaml|workflow|profiles|envs|docs)\b""")
    modules = {str(path): path.read_text() for path in (ROOT / "wsss_stages").rglob("*.py")}
    assert [name for name, text in modules.items() if beside.search(text)] == []


@pytest.mark.slow
def test_the_sdist_is_the_tree(built):
    with tarfile.open(built.sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive if member.isfile()}
    made_by_setuptools = {name for name in names if ".egg-info/" in name} | {"PKG-INFO", "setup.cfg"}
    assert names - made_by_setuptools == built.names


@pytest.mark.slow
def test_the_wheel_is_the_package_and_the_workflow(built):
    with zipfile.ZipFile(built.wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        schema = archive.read(f"{PROJECT}/workflow/schemas/config.schema.yaml")
    workflow = {name for name in built.names if name.startswith(("workflow/", "profiles/"))}
    workflow |= {"Snakefile", "config.yaml", "envs/wsss.yaml"}
    package = {name for name in built.names if name.startswith("wsss_stages/")}
    assert names == package | {f"{PROJECT}/{name}" for name in workflow}
    assert schema == (ROOT / "workflow/schemas/config.schema.yaml").read_bytes()


@pytest.mark.slow
def test_an_installed_wheel_goes_from_a_folder_to_masks_and_report(built, tmp_path):
    clean, home = Clean(tmp_path / "venv"), tmp_path / "home"
    make_scenes(home / "photos", 6, 2)

    def run(*words: str) -> str:
        return clean.run(*words, at=home, HOME=str(home))

    run("pip", "install", str(built.wheel))
    assert Path(run("python", "-c", "import wsss_stages; print(wsss_stages.__file__)")).is_relative_to(clean.folder)
    where = Path(run("wsss", "where").strip())
    assert where.is_relative_to(clean.folder)

    ran = run("wsss", "run", "photos", "--weak", "box", "--cores", "2", "--config", *TINY)
    assert "wsss report photos --open" in ran
    variant = home / "results/photos/box/ours"
    assert len(list((variant / "s6_propagate/train/pseudo").glob("*.png"))) == 6
    assert json.loads((variant / "s9_evaluate/val/scores.json").read_text())
    (record,) = json.loads((variant / "s7_segment/weights.safetensors.made.json").read_text())["runs"]
    assert record["code"]["commit"] is None and record["code"]["version"] == built.wheel.name.split("-")[1]

    run("wsss", "report", "photos", "--images", "2")
    assert "<b>8</b>" in (variant / "report.html").read_text()
    plain = ["snakemake", "--snakefile", str(where / "Snakefile"), "--configfile", "results/photos/wsss.yaml"]
    assert "Nothing to be done" in run(*plain, "--cores", "1", "-n")
    run(*plain, "--report", "snakemake.html")
    assert (home / "snakemake.html").stat().st_size > 500_000
