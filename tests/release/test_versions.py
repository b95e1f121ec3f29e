"""One version everywhere, whose home is pyproject.toml; what catalogs of workflows and of citations read is whole."""

import importlib.util
import re
import tomllib
from pathlib import Path
from types import SimpleNamespace

import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_citation_has_the_version_and_the_licence():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"] and citation["license"] == PROJECT["license"]
    assert {"cff-version", "message", "title", "authors"} <= set(citation)


def test_the_changelog_has_the_version_below_what_is_not_released_yet():
    titles = re.findall(r"^## \[?([^\]\s]+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert titles[:2] == ["Unreleased", PROJECT["version"]]


def test_the_site_shows_the_version():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.on_config(SimpleNamespace(site_name="site")).site_name == f"site {PROJECT['version']}"


def test_installing_from_a_wheel_names_the_version():
    for page in ("docs/quickstart.md", "docs/install.md"):
        named = re.findall(r"wsss_stages-([\w.]+?)-py3-none-any", (ROOT / page).read_text())
        assert named and set(named) == {PROJECT["version"]}, page


def test_the_catalog_says_how_jobs_get_their_libraries():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    deployment = usage["software-stack-deployment"]
    rules = "".join(path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    assert deployment["conda"] == ("    conda:\n" in rules)
    assert deployment["apptainer"] == ("    container:\n" in rules)
    assert deployment["report"] == ("report(" in rules)
