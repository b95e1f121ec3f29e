"""The environment of `conda:` is pinned and complete, and jobs in it run the package beside the Snakefile."""

import os
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "workflow" / "rules").glob("*.smk"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def environment() -> dict[str, str]:
    """Versions that the environment pins."""
    dependencies = yaml.safe_load((ROOT / "envs" / "wsss.yaml").read_text())["dependencies"]
    (by_pip,) = (part["pip"] for part in dependencies if isinstance(part, dict))
    return dict(line.split("==") for line in by_pip)


def test_every_job_has_the_environment():
    for path in RULES:
        rules = re.split(r"^    ?rule |^rule ", path.read_text(), flags=re.M)[1:]
        for rule in (rule for rule in rules if "    shell:" in rule):
            (named,) = re.findall(r'^    conda:\n        "(.*)"$', rule, re.M)
            assert (path.parent / named).resolve() == ROOT / "envs" / "wsss.yaml"


@pytest.mark.parametrize("dependency", PROJECT["dependencies"])
def test_the_environment_pins_what_the_package_needs(dependency):
    wanted = Requirement(dependency)
    assert Version(environment()[wanted.name]) in wanted.specifier


def test_python_is_one_that_the_package_runs_on():
    (python,) = (
        part.removeprefix("python=")
        for part in yaml.safe_load((ROOT / "envs" / "wsss.yaml").read_text())["dependencies"]
        if isinstance(part, str) and part.startswith("python=")
    )
    assert Version(python) in Requirement(f"python{PROJECT['requires-python']}").specifier


CONDA = """#!/bin/bash
case "$*" in
  "info --json") echo '{{"conda_prefix": "{base}", "platform": "linux-64"}}' ;;
  --version) echo "conda 25.1.1" ;;
  clean*) ;;
  config*) echo '{{"get": {{"channel_priority": "strict"}}}}' ;;
  "env create"*)
    while [ $# -gt 0 ]; do
      case $1 in --file) cp "$2" "{base}/created.yaml" ;; --prefix) prefix=$2 ;; esac
      shift
    done
    mkdir -p "$prefix/bin" "$prefix/conda-meta"
    printf '#!/bin/bash\\necho "$PYTHONPATH" > "{base}/pythonpath"\\nexec {python} "$@"\\n' > "$prefix/bin/python"
    chmod +x "$prefix/bin/python" ;;
  *) echo "conda $*: unknown" >&2; exit 1 ;;
esac
"""
"""Stands in for conda: environments with one program, which notes where Python looks for packages."""


def test_jobs_in_the_environment_run_the_package_beside_the_snakefile(project, monkeypatch):
    base = project.folder / "conda"
    (base / "bin").mkdir(parents=True)
    (base / "bin" / "conda").write_text(CONDA.format(base=base, python=sys.executable))
    (base / "bin" / "conda").chmod(0o755)
    (base / "bin" / "activate").write_text('export PATH="$1/bin:$PATH"\n')
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}/another/package")
    project.programs = base / "bin"
    output = project.snakemake("results/scenes/index.json", "--software-deployment-method", "conda")
    assert "Activating conda environment" in output
    assert (base / "created.yaml").read_text() == (ROOT / "envs" / "wsss.yaml").read_text()
    assert (base / "pythonpath").read_text().strip() == str(ROOT)
    assert (project.folder / "results/scenes/index.json").exists()
