"""Partial files of killed runs, removed by the next run on the same output."""

import os
import socket
from collections.abc import Collection
from pathlib import Path

PARTIAL = ".partial"


def partial_of(path: Path) -> Path:
    """Return the path where this process writes the future `path`."""
    return path.with_name(f"{path.name}.{_host()}-{os.getpid()}{PARTIAL}")


def tidy(paths: Collection[Path]) -> int:
    """Remove partial versions of these files; how many there were.

    Only for who holds their output's lock: nobody else can be writing them, on this machine or another.
    """
    return sum(_remove(partial) for partial, _ in _partials(paths))


def tidy_dead(paths: Collection[Path]) -> int:
    """Remove partial versions of these files left by ended processes of this machine; how many there were."""
    return sum(_remove(partial) for partial, writer in _partials(paths) if _is_dead(writer))


def _partials(paths: Collection[Path]) -> list[tuple[Path, str]]:
    """Return the partial files of these outputs, each with the machine and process that wrote it."""
    wanted: dict[Path, set[str]] = {}
    for path in paths:
        wanted.setdefault(path.parent, set()).add(path.name)
    found = []
    for folder, names in wanted.items():
        for partial in folder.glob(f"*{PARTIAL}"):
            name, _, writer = partial.name.removesuffix(PARTIAL).rpartition(".")
            if name in names:
                found.append((partial, writer))
    return found


def _remove(partial: Path) -> bool:
    partial.unlink(missing_ok=True)
    return True


def _is_dead(writer: str) -> bool:
    host, _, pid = writer.rpartition("-")
    if host != _host() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # of another user, but alive
        return False
    return False


def _host() -> str:
    return socket.gethostname().partition(".")[0]
