"""The folder of the workflow: Snakefile, config.yaml, rules and run files."""

from pathlib import Path

PACKAGE = Path(__file__).parents[1]
CANDIDATES = (PACKAGE.parent, PACKAGE / "project")
"""The repository, of which the package is a folder, and the copy of the workflow that a wheel brings (setup.py)."""


def workflow_folder() -> Path:
    """Return the folder that holds the Snakefile; the repository's where neither place has one."""
    return next((folder for folder in CANDIDATES if (folder / "Snakefile").is_file()), CANDIDATES[0])


def snakefile() -> Path:
    """Return the Snakefile. Raises FileNotFoundError where the package was installed without the workflow."""
    path = workflow_folder() / "Snakefile"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: found no Snakefile beside the package or in it; wanted the workflow. Install the package again: pip install "
            "--force-reinstall --no-deps wsss-stages"
        )
    return path


def import_folder(own: Path) -> Path:
    """Return a folder to put on PYTHONPATH from which this package is imported, and no other.

    Args:
        own: a folder for a link to an installed package, beside which other packages lie; made if it is needed.
    """
    if workflow_folder() == PACKAGE.parent:
        return PACKAGE.parent
    link = own / PACKAGE.name
    if link.resolve() != PACKAGE.resolve():
        own.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(PACKAGE)
    return own.resolve()
