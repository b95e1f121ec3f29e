"""A small project folder: the repository's Snakefile and workflow, its config made tiny."""

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.once import once
from wsss_stages.data.importers.scenes import make_scenes

ROOT = Path(__file__).parents[2]
SMALL = {"crop": 96, "batch_size": 4, "workers": 0, "epochs": 1}


STAND_IN = """#!/bin/bash
{work}
while [ $# -gt 1 ]; do
  case $1 in
    --out|--manifest) echo {{}} > "$2" ;;
    --index) test -e "$2" || echo {{}} > "$2" ;;
    --weights) test -e "$2" || {{ echo {{}} > "$2"; echo {{}} > "$(dirname "$2")/curve.json"; }} ;;
  esac
  shift
done
"""
"""Reads no option's meaning but of those that name outputs."""


@functools.cache
def dry_runs() -> subprocess.Popen:
    """Return the process that makes dry runs; it is started when the first one is asked for."""
    command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("dry_runs.py"))]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.fixture(scope="session", autouse=True)
def _end_of_dry_runs():
    yield
    if dry_runs.cache_info().currsize:
        dry_runs().communicate()


class Project:
    def __init__(self, folder: Path):
        self.folder = folder
        self.programs = Path(sys.executable).parent
        """Where jobs find python first."""

    @classmethod
    def small(cls, folder: Path) -> "Project":
        """A new one, of toy size."""
        for name in ("Snakefile", "envs", "profiles"):
            (folder / name).symlink_to(ROOT / name)
        (folder / "workflow" / "runs").mkdir(parents=True)
        for name in ("report", "rules", "schemas", "tables.yaml"):
            (folder / "workflow" / name).symlink_to(ROOT / "workflow" / name)
        config = yaml.safe_load((ROOT / "config.yaml").read_text())
        config["report_images"] = 3
        config["shards"] = 1
        config["propagate"] = {"epochs_first": 2, "epochs_second": 2, "features": 32}
        config["cam"] = {"scales": [1.0]}
        config["predict"] = {"scales": [1.0]}
        demo = yaml.safe_load((ROOT / "workflow" / "runs" / "demo.yaml").read_text())
        demo["data"] |= {"scenes_train": 6, "scenes_val": 2}
        for section in ("classifier", "object_net", "affinity", "segment"):
            demo[section] |= SMALL
        demo["object_net"] |= {"crop": 64, "width": 16}
        demo["rrm"] |= SMALL | {"epochs": 2, "class_epochs": 1, "channels": 16}
        demo["dfr"] |= SMALL | {"crop": 64, "channels": 8, "features": 8}
        demo["segment"]["head_channels"] = 16
        demo["instances"] |= SMALL | {"width": 16, "hidden": 32, "proposals": 40, "samples": 16}
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        project = cls(folder)
        project.demo.write_text(yaml.safe_dump(demo))
        return project

    @property
    def demo(self) -> Path:
        """Settings of the demo."""
        return self.folder / "workflow" / "runs" / "demo.yaml"

    def snakemake(self, *arguments: str, fails: bool = False) -> str:
        """Run snakemake on two cores in the folder; its output."""
        if "-n" in arguments:
            return self._dry_run("--nocolor", "--cores", "2", *arguments, fails=fails)
        with self.running("--cores", "2", *arguments, fails=fails) as end:
            return end()

    def _dry_run(self, *arguments: str, fails: bool) -> str:
        server = dry_runs()
        with tempfile.NamedTemporaryFile("r") as output:
            order = {
                "folder": str(self.folder), "arguments": arguments, "environment": dict(os.environ), "output": output.name,
            }  # fmt: skip
            server.stdin.write(json.dumps(order) + "\n")
            server.stdin.flush()
            code, text = int(server.stdout.readline()), output.read()
        assert (code != 0) == fails, text
        return text

    @contextmanager
    def running(self, *arguments: str, fails: bool = False) -> Iterator[Callable[[], str]]:
        """Run snakemake in the folder beside the test; what is yielded waits for its end and output."""
        process = subprocess.Popen(
            [sys.executable, "-m", "snakemake", "--nocolor", *arguments],
            cwd=self.folder,
            env=os.environ | {"PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}"},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

        def end() -> str:
            output, _ = process.communicate()
            assert (process.returncode != 0) == fails, output + self.logs()
            return output

        try:
            yield end
        finally:
            process.kill()
            process.wait()

    def pretend(self, work: str = "") -> None:
        """Let jobs run a stand-in for python, which does some work in the shell and writes empty outputs."""
        self.programs = self.folder / "programs"
        self.programs.mkdir()
        stand_in = self.programs / "python"
        stand_in.write_text(STAND_IN.format(work=work))
        stand_in.chmod(0o755)

    def logs(self) -> str:
        return "".join(f"\n== {p}\n{p.read_text()}" for p in self.folder.glob("logs/**/*.log"))


class Mine(Project):
    """A project on six photographs with every kind of label, saliency and points elsewhere; finished up to the seeds."""

    SEEDS = "results/mine/mixed/ours/s3_seeds/train/1-of-1.json"
    dataset = property(lambda self: self.folder / "mine")
    weak = property(lambda self: self.folder / "weak")

    @classmethod
    def finished(cls, folder: Path) -> "Mine":
        mine = cls.small(folder)
        make_scenes(mine.dataset, 6, 2)
        mine.weak.mkdir()
        for name in ("Annotations", "Scribbles", "points.json"):
            (mine.dataset / name).rename(mine.weak / name)
        (folder / "salient").mkdir()
        for photo in (mine.dataset / "JPEGImages").iterdir():
            with Image.open(photo) as image:
                grey = Image.fromarray(np.zeros((image.height, image.width), np.uint8))
            grey.save(folder / "salient" / f"{photo.stem}.png")
        config = yaml.safe_load((folder / "config.yaml").read_text())
        demo = yaml.safe_load(mine.demo.read_text())
        demo["data"] = {"weak_labels": "weak", "saliency": "salient", "truth_list": "train"}
        own = {"dataset_root": "mine", "dataset": "mine", "weak": "mixed"}
        (folder / "config.yaml").write_text(yaml.safe_dump(config | demo | own))
        mine.run()
        return mine

    def run(self, *arguments, **options):
        """Make the seeds."""
        return self.snakemake(self.SEEDS, *arguments, **options)


@pytest.fixture
def project(tmp_path):
    return Project.small(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A project whose `rule all` has run, once for all processes of the tests, each of which has a copy that no test changes."""
    base = tmp_path_factory.getbasetemp()
    copy = base / "project"
    shutil.copytree(once(base, "finished", lambda folder: Project.small(folder).snakemake()), copy, symlinks=True)
    return Project(copy)


@pytest.fixture
def own(finished, tmp_path):
    """A copy of the finished project for a test that goes on with it."""
    copy = tmp_path / "own"
    shutil.copytree(finished.folder, copy, symlinks=True)
    return Project(copy)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Return a finished project of the user's own, and a copy of it as it was; the index names the folder of the photographs."""
    place, copy = (tmp_path_factory.getbasetemp() / name for name in ("of_mine", "of_mine_as_it_was"))
    place.mkdir()
    project = Mine.finished(place)
    shutil.copytree(place, copy, symlinks=True)
    return project, copy


@pytest.fixture
def mine(made):
    project, copy = made
    shutil.rmtree(project.folder)
    shutil.copytree(copy, project.folder, symlinks=True)
    return project
