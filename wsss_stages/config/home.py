"""The folder of the workflow: Snakefile, config.yaml, rules and run files."""

from pathlib import Path

PACKAGE = Path(__file__).parents[1]
CANDIDATES = (PACKAGE.parent, PACKAGE / "project")
"""The repository, of which the package is a folder, and a copy of the workflow inside an installed package."""


def workflow_folder() -> Path:
    """Return the folder that holds the Snakefile; the repository's where neither place has one."""
    return next((folder for folder in CANDIDATES if (folder / "Snakefile").is_file()), CANDIDATES[0])


def snakefile() -> Path:
    """Return the Snakefile. Raises FileNotFoundError where the package was installed without the workflow."""
    path = workflow_folder() / "Snakefile"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: found no Snakefile beside the package; wanted the project's folder. Install it from a clone: pip install -e CLONE"
        )
    return path
