"""Records of how a file was made: command, options, inputs by their sha256, code, libraries, device, seconds; kept beside it.

The files themselves hold only what decides their content, so that the same run gives the same bytes; what differs
from run to run stands in `NAME.made.json`.
"""

import importlib.metadata
import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from packaging.requirements import Requirement

from wsss_stages.store import artifacts

SUFFIX = ".made.json"
PACKAGE = Path(__file__).parents[1]


class Run:
    """One run of a stage, from its command line to its last file."""

    def __init__(self, command: list[str]):
        self.outputs: list[Path] = []
        self._start = time.monotonic()
        self._told: dict = {
            "stage": Path(command[0]).stem,
            "command": command[1:],
            "options": {},
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "inputs": {},
        }

    def tell(self, **facts: object) -> None:
        """Add facts of the run as a whole."""
        self._told |= facts

    def reads(self, *paths: Path) -> None:
        """Add inputs, with the sha256 of those that are files."""
        self._told["inputs"] |= {str(path): artifacts.sha256(path) if path.is_file() else None for path in paths}

    def write(self) -> None:
        """Write the record beside every output; earlier runs that this one went on from stay in it."""
        now = {
            **self._told,
            "seconds": round(time.monotonic() - self._start, 1),
            "code": code(),
            "python": sys.version.split()[0],
            "libraries": libraries(),
        }
        for path in (record_of(output) for output in self.outputs if output.is_file()):
            same = [run for run in _earlier(path) if all(run[key] == now[key] for key in ("options", "inputs"))]
            artifacts.write_sealed(path, {"runs": [*same, now]})


_running: ContextVar[Run | None] = ContextVar("running", default=None)


@contextmanager
def recording(command: list[str]) -> Iterator[None]:
    """Keep a record of the run of the block; it is written if the block succeeds.

    Args:
        command: script and arguments.
    """
    run = Run(command)
    token = _running.set(run)
    try:
        yield
    finally:
        _running.reset(token)
    run.write()


def tell(**facts: object) -> None:
    """Add facts, such as options or the device, to the record; does nothing where none is kept."""
    if run := _running.get():
        run.tell(**facts)


def reads(*paths: Path) -> None:
    """Add inputs to the record; does nothing where none is kept."""
    if run := _running.get():
        run.reads(*paths)


def writes(*paths: Path) -> None:
    """Add files that the record will stand beside; does nothing where none is kept."""
    if run := _running.get():
        run.outputs.extend(paths)


def record_of(path: Path) -> Path:
    """Return the path of a file's record."""
    return path.with_name(path.name + SUFFIX)


def runs(path: Path) -> list[dict]:
    """Return the runs that made a file, the last one last; empty where no record stands beside it."""
    return _runs(record_of(path))


def _earlier(path: Path) -> list[dict]:
    """Return the earlier runs for a record that is written again.

    A damaged record is reported and ignored: losing it is better than failing the stage.
    """
    try:
        return _runs(path)
    except artifacts.ContractError as error:
        sys.stderr.write(f"warning: {error} A new record is written, without the earlier runs.\n")
        return []


def _runs(path: Path) -> list[dict]:
    return artifacts.read_sealed(path)["runs"] if path.exists() else []


@cache
def code() -> dict[str, str | None]:
    """Return the version of the package, a fingerprint of its sources, and the commit where they lie in a git
    repository.
    """
    sources = {str(path.relative_to(PACKAGE)): artifacts.sha256(path) for path in sorted(PACKAGE.rglob("*.py"))}
    return {
        "version": _package()[0],
        "sources": artifacts.fingerprint(sources)[:16],
        "commit": _commit(),
    }


def _commit() -> str | None:
    """Return the commit of the repository that holds the package itself, not of one around an environment."""
    if not (PACKAGE.parent / ".git").exists():
        return None
    try:
        command = ["git", "-C", str(PACKAGE.parent), "rev-parse", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


@cache
def libraries() -> dict[str, str]:
    """Return the versions of the libraries that the package requires, as far as they are installed."""
    wanted = map(Requirement, _package()[1])
    found = {}
    for name in sorted(one.name for one in wanted if not one.marker or one.marker.evaluate({"extra": ""})):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _package() -> tuple[str, list[str]]:
    """Return the package's version and requirements: of its installation, or of the sources that it runs from."""
    try:
        return importlib.metadata.version("wsss-stages"), importlib.metadata.requires("wsss-stages") or []
    except importlib.metadata.PackageNotFoundError:
        project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
        return project["version"], project["dependencies"]


def read_provenance(path: Path) -> dict:
    """Return the metadata of a weights file of ours, read without torch. Raises ContractError."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            metadata = json.loads((file.metadata() or {})["provenance"])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        from wsss_stages.store import tensor_files  # torch with it

        raise artifacts.ContractError(
            f"{path} is damaged or not ours ({tensor_files.describe(path)}), wanted weights.safetensors of a training. "
            f"{artifacts.remedy_of(path)}"
        ) from error
    artifacts.intact(path, artifacts.remedy_of(path))
    del metadata[artifacts.SEAL]
    return metadata
