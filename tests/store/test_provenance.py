"""The record of how a file was made, where the package runs from its sources."""

import importlib.metadata
import tomllib
from pathlib import Path

from wsss_stages.store import provenance

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


def test_a_package_that_is_not_installed_has_the_version_of_its_sources(monkeypatch):
    installed = importlib.metadata.version

    def version(name):
        if name == "wsss-stages":
            raise importlib.metadata.PackageNotFoundError(name)
        return installed(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert provenance.code.__wrapped__()["version"] == PROJECT["version"]
    libraries = provenance.libraries.__wrapped__()
    assert libraries["numpy"] == installed("numpy") and len(libraries) == len(PROJECT["dependencies"])
