"""The image of envs/Dockerfile is built and runs a stage with a training; without Docker its steps do, in a clean environment."""

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.release.clean import ROOT, TINY, Clean, copy, tree
from wsss_stages.data.importers.scenes import make_scenes

DOCKERFILE = ROOT / "envs" / "Dockerfile"
TARGET = "results/data/s1_classifier/weights.safetensors"
ABSOLUTE = re.compile(r"(?<![\w./:-])/(?=\w)")
"""The begin of a path from the image's root."""


def steps() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile with their arguments."""
    text = re.sub(r"\\\n", "", DOCKERFILE.read_text())
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in text.splitlines()) if word.isupper()]


def copied() -> set[str]:
    """Return the files of the project that .dockerignore lets into the image."""
    patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]

    def ignored(name: str) -> bool:
        parts = Path(name).parts
        return any(
            any(fnmatch.fnmatch(part, pattern[3:]) for part in parts)
            if pattern.startswith("**/")
            else fnmatch.fnmatch(parts[0], pattern)
            for pattern in patterns
        )

    return {name for name in tree() if not ignored(name)}


def test_the_image_holds_what_its_steps_read():
    names = copied()
    assert {"Snakefile", "config.yaml", "setup.py", "pyproject.toml", "README.md", "envs/lock.txt"} <= names
    assert not [name for name in names if name.startswith(("tests/", "docs/", "bench/"))]


@pytest.mark.slow
def test_the_steps_install_and_run_in_a_clean_environment(tmp_path):
    clean, image = Clean(tmp_path / "python"), tmp_path / "image"
    image.mkdir()
    at, variables = image, {"HOME": "/proc/nohome"}
    entry: list[str] = []
    for word, rest in steps():
        inside = ABSOLUTE.sub(f"{image}/", rest)
        if word == "FROM":
            assert rest.startswith("python:3.")
        elif word == "WORKDIR":
            at = Path(inside)
            at.mkdir(parents=True)
        elif word == "COPY":
            assert rest == ". ."
            copy(copied(), at)
        elif word == "RUN":
            clean.run("/bin/sh", "-c", inside, at=at, **variables)
        elif word == "ENV":
            variables |= dict(pair.split("=") for pair in shlex.split(inside))
        elif word == "ENTRYPOINT":
            entry = json.loads(inside)
        else:
            pytest.fail(f"{word} is an instruction that this test does not follow")
    make_scenes(image / "data", 6, 2)
    settings = [f"dataset_root={image}/data", "dataset=data", "weak=box", *TINY]
    clean.run(*entry, TARGET, "--config", *settings, at=at, **variables)
    (run,) = json.loads((image / "out" / f"{TARGET}.made.json").read_text())["runs"]
    assert run["code"]["version"]
    assert (image / "tmp" / "cache").is_dir()


def builder() -> str:
    """Return the program that builds images here; skip the test, with the reason, where there is none that works."""
    reasons = []
    for name in ("docker", "podman"):
        if not shutil.which(name):
            reasons.append(f"{name} is not installed")
        elif subprocess.run([name, "info"], capture_output=True).returncode:
            reasons.append(f"`{name} info` fails")
        elif subprocess.run([name, "pull", dict(steps())["FROM"]], capture_output=True).returncode:
            reasons.append(f"{name} cannot pull {dict(steps())['FROM']}")
        else:
            return name
    pytest.skip("; ".join(reasons))


@pytest.mark.slow
def test_the_image_runs_as_any_user(tmp_path):
    program = builder()
    subprocess.run([program, "build", "-f", str(DOCKERFILE), "-t", "wsss-stages-test", str(ROOT)], check=True)
    make_scenes(tmp_path / "data", 6, 2)
    (tmp_path / "out").mkdir()
    folders = ["-v", f"{tmp_path}/data:/data:ro", "-v", f"{tmp_path}/out:/out"]
    user = f"{os.getuid() or 12345}"
    (tmp_path / "out").chmod(0o777)
    settings = ["dataset_root=/data", "dataset=data", "weak=box", *TINY]
    run = [program, "run", "--rm", "-u", user, *folders, "wsss-stages-test", TARGET, "--config", *settings]
    subprocess.run(run, check=True)
    assert (tmp_path / "out" / TARGET).is_file()
