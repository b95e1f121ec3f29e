"""What killed runs left half written, taken away by the next run on the same output."""

from collections.abc import Collection
from pathlib import Path

PARTIAL = ".partial"


def partial_of(path: Path, pid: int) -> Path:
    """Where a process writes what will be `path`."""
    return path.with_name(f"{path.name}.{pid}{PARTIAL}")


def tidy(paths: Collection[Path]) -> int:
    """Remove what was left half written of these files; how many there were.

    Only for who holds their output's lock: nobody else can be writing them, on this machine or another.
    """
    wanted: dict[Path, set[str]] = {}
    for path in paths:
        wanted.setdefault(path.parent, set()).add(path.name)
    removed = 0
    for folder, names in wanted.items():
        for partial in folder.glob(f"*{PARTIAL}"):
            if partial.name.removesuffix(PARTIAL).rpartition(".")[0] in names:
                partial.unlink(missing_ok=True)
                removed += 1
    return removed
