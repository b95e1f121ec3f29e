"""A wheel with the workflow in it: Snakefile, settings, rules and profiles lie in the package, where `config.home` finds them."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

WORKFLOW = ("Snakefile", "config.yaml", "workflow", "profiles", "envs/wsss.yaml")
"""Files and folders that a run reads."""
PLACE = Path("wsss_stages", "project")
"""Their place in a wheel; an editable installation finds them in the repository."""


class BuildWithWorkflow(build_py):
    """The package's build, which copies the workflow into it."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for name in WORKFLOW:
            source, target = Path(name), Path(self.build_lib, PLACE, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            else:
                shutil.copyfile(source, target)


setup(cmdclass={"build_py": BuildWithWorkflow})
