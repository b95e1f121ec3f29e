"""A small project folder: the repository's Snakefile and workflow, its config made tiny."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SMALL = {"crop": 96, "batch_size": 4, "workers": 0, "epochs": 1}


class Project:
    def __init__(self, folder: Path):
        self.folder = folder
        for name in ("Snakefile", "workflow", "envs"):
            (folder / name).symlink_to(ROOT / name)
        config = yaml.safe_load((ROOT / "config.yaml").read_text())
        config["report_images"] = 3
        config["propagate"] = {"epochs_first": 2, "epochs_second": 2, "features": 32}
        config["cam"] = {"scales": [1.0]}
        config["predict"] = {"scales": [1.0]}
        demo = config["demo"]
        demo["data"] |= {"scenes_train": 6, "scenes_val": 2}
        for section in ("classifier", "object_net", "affinity", "segment"):
            demo[section] |= SMALL
        demo["object_net"] |= {"crop": 64, "width": 16}
        demo["rrm"] |= SMALL | {"epochs": 2, "class_epochs": 1, "channels": 16}
        demo["dfr"] |= SMALL | {"crop": 64, "channels": 8, "features": 8}
        demo["segment"]["head_channels"] = 16
        demo["instances"] |= SMALL | {"width": 16, "hidden": 32, "proposals": 40, "samples": 16}
        (folder / "config.yaml").write_text(yaml.safe_dump(config))

    def snakemake(self, *arguments: str, fails: bool = False) -> str:
        """Run snakemake in the folder; its output."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--nocolor", *arguments]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(command, cwd=self.folder, env=os.environ | {"PATH": path}, text=True, capture_output=True)
        output = done.stdout + done.stderr
        assert (done.returncode != 0) == fails, output + self.logs()
        return output

    def logs(self) -> str:
        return "".join(f"\n== {p}\n{p.read_text()}" for p in self.folder.glob("logs/**/*.log"))


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A project whose `rule all` has run."""
    made = Project(tmp_path_factory.mktemp("project"))
    made.snakemake()
    return made
