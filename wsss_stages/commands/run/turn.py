"""One run at a time in a folder, and Snakemake's own lock after a run that was killed."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

LOCK = Path(".snakemake", "wsss_run.lock")
SNAKEMAKES = Path(".snakemake", "locks")


class BusyError(ValueError):
    """A folder in which another run works: which process, remedy."""


@dataclass(frozen=True)
class Turn:
    """The right to run in a folder."""

    descriptor: int
    """The lock's, which Snakemake inherits: it is held as long as one of the processes lives."""
    after_a_kill: bool
    """True where the run before did not come to its end."""


@contextmanager
def turn(home: Path) -> Iterator[Turn]:
    """Hold a folder for the block. Raises BusyError where another run works in it."""
    path = home / LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(f"{home}: found a run at work here ({_holder(path)}); {WAIT}") from error
        except OSError:  # a file system without locks
            pass
        left = os.pread(descriptor, 1, 0)
        if working := at_work(home):
            raise BusyError(f"{home}: found processes at work here ({', '.join(map(str, working))}); {WAIT}")
        os.ftruncate(descriptor, 0)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": now}).encode(), 0)
        try:
            yield Turn(descriptor, bool(left))
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


WAIT = "wanted none. Wait for its end, or end that process and run this again: what is finished is kept."


def locked(home: Path) -> bool:
    """Return whether Snakemake's lock lies in a folder."""
    return any((home / SNAKEMAKES).glob("*.lock"))


def at_work(home: Path) -> list[int]:
    """Return the processes of this machine that run Snakemake or a stage in a folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = " ".join(process.cmdline())
            if process.pid != os.getpid() and ("snakemake" in words or "wsss_stages.stages" in words):
                if Path(process.cwd()) == home.resolve() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process.pid)
    return found


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_text())
        return f"process {holder['pid']} on {holder['host']}, since {holder['since']}"
    except (OSError, ValueError, KeyError):
        return "one that has just started"
