"""A Python environment with the libraries of this one but not its package, whose programs see no variables of this process."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.commands.test_run import SETTINGS

ROOT = Path(__file__).parents[2]
TINY = [setting for setting in SETTINGS if not setting.startswith("tensorboard")]
"""Settings of a run of minutes, without what an extra brings."""


def tree() -> set[str]:
    """Return the files of the project, as git knows them."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return {name for name in listed if (ROOT / name).is_file()}


def copy(names: set[str], target: Path) -> None:
    """Copy files of the project into a folder."""
    for name in names:
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((ROOT / name).read_bytes())
        path.chmod((ROOT / name).stat().st_mode)


class Clean:
    """The environment, in a folder of its own, and calls of its programs."""

    def __init__(self, folder: Path):
        self.folder, self.programs = folder, folder / "bin"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        # a line of a .pth file adds a folder without reading the .pth files in it, so that no editable package comes with it
        (site,) = folder.glob("lib/python*/site-packages")
        libraries = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        (site / "libraries.pth").write_text("\n".join(sorted(libraries)) + "\n")
        self._program("snakemake", '-m snakemake "$@"')
        # an installation takes the libraries that are there, and downloads nothing
        offline = "--no-deps --no-index --no-build-isolation --quiet --disable-pip-version-check"
        self._program("pip", f'-m pip install {offline} "${{@:2}}"')

    def _program(self, name: str, arguments: str) -> None:
        path = self.programs / name
        path.write_text(f'#!/bin/bash\nexec "{self.programs}/python" {arguments}\n')
        path.chmod(0o755)

    def run(self, *words: str, at: Path, **variables: str) -> str:
        """Return the output of a command in a folder. Raises AssertionError with it where the command fails."""
        environment = {"PATH": f"{self.programs}{os.pathsep}/usr/bin{os.pathsep}/bin"} | variables
        done = subprocess.run(
            words, cwd=at, env=environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )  # fmt: skip
        assert done.returncode == 0, f"{words}: {done.stdout}"
        return done.stdout
