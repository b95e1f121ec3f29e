"""The lock file, the environment of conda and the page of licences agree with pyproject.toml, with each other, and with what is installed."""

import importlib.util
import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WANTED = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["weights"]]


@pytest.fixture(scope="module")
def licences():
    spec = importlib.util.spec_from_file_location("licences", ROOT / "docs" / "licences.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def lock(licences) -> dict[str, str]:
    """Return the versions of the lock file, by names as package indices write them."""
    pins = licences.pins((ROOT / "envs" / "lock.txt").read_text())
    return {canonicalize_name(name): version for name, version in pins.items()}


@pytest.mark.parametrize("dependency", WANTED)
def test_the_lock_satisfies_what_the_package_needs(dependency, lock):
    wanted = Requirement(dependency)
    assert Version(lock[canonicalize_name(wanted.name)]) in wanted.specifier


def test_the_environment_of_conda_has_the_versions_of_the_lock(lock):
    dependencies = yaml.safe_load((ROOT / "envs" / "wsss.yaml").read_text())["dependencies"]
    (by_pip,) = (part["pip"] for part in dependencies if isinstance(part, dict))
    pins = {canonicalize_name(name): version for name, version in (line.split("==") for line in by_pip)}
    assert pins and pins == {name: lock[name] for name in pins}


def needed(name: str) -> Iterator[Requirement]:
    """Yield what an installed package needs without extras."""
    for line in metadata.requires(name) or []:
        requirement = Requirement(line)
        if not requirement.marker or requirement.marker.evaluate({"extra": ""}):
            yield requirement


def installed(lock: dict[str, str]) -> Iterator[str]:
    """Yield the packages of the lock that are installed here in its version."""
    versions = {canonicalize_name(package.name): package.version for package in metadata.distributions()}
    return (name for name, version in lock.items() if versions.get(name) == version)


def test_the_lock_is_whole_as_far_as_its_packages_are_installed_here(lock):
    lacking = [
        f"{name} needs {wanted}"
        for name in installed(lock)
        for wanted in needed(name)
        if not wanted.specifier.contains(lock.get(canonicalize_name(wanted.name), "0"), prereleases=True)
        or canonicalize_name(wanted.name) not in lock
    ]
    assert lacking == []


def test_every_locked_package_has_a_licence_on_the_page(licences, lock):
    rows = re.findall(r"^\| (\S+) \| (\S+) \| (.+) \|$", licences.PAGE.read_text(), re.M)
    assert rows.pop(0)[0] == "package" and rows.pop(0)[0] == "---"
    assert {canonicalize_name(name): version for name, version, _ in rows} == lock
    here = set(installed(lock))
    for name, _, licence in rows:
        assert canonicalize_name(name) not in here or licence == licences.licence(metadata.distribution(name))


def test_a_licence_is_read_from_the_fields_or_from_its_words(licences, tmp_path):
    def package(fields: str, text: str = "") -> metadata.Distribution:
        folder = tmp_path / "one-1.dist-info"
        (folder / "licenses").mkdir(parents=True, exist_ok=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: one\nVersion: 1\n{fields}")
        (folder / "licenses" / "LICENSE").write_text(text)
        (folder / "RECORD").write_text("one-1.dist-info/licenses/LICENSE,,\n")
        return metadata.Distribution.at(folder)

    classifier = "Classifier: License :: OSI Approved :: ISC License\n"
    assert licences.licence(package(f"License-Expression: MIT OR X11\n{classifier}")) == "MIT OR X11"
    assert licences.licence(package(f"License: BSD\n{classifier}")) == "BSD"
    assert licences.licence(package(f"License: UNKNOWN\n{classifier}")) == "ISC License"
    assert licences.licence(package(f"License: {'long ' * 20}\n{classifier}")) == "ISC License"
    apache = 'Licensed under the Apache License,\nVersion 2.0 (the "License")'
    assert licences.licence(package("", apache)) == "Apache-2.0"
    assert licences.licence(package("", "Ask us.")) == "not said"


def test_another_version_is_refused(licences):
    with pytest.raises(ValueError, match=r"numpy: found version .* wanted 0\.1"):
        licences.page({"numpy": "0.1"})
