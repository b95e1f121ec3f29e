"""One run at a time on one output: a lock file beside it, held by the running process and released when it ends,
however it ends.

The lock is `flock`'s, so a file that a killed process left behind holds nothing; on NFS Linux makes it hold between machines.
"""

import atexit
import errno
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from wsss_stages.store import tidying

SUFFIX = ".lock"
WITHOUT = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
"""Error numbers of a file system without locks."""
RETRY = 0.2
"""Seconds of trying again where a lock file's holder has just removed it."""

_held: dict[Path, FileLock] = {}
"""Lock files of this process and their locks."""
_without: list[Path] = []
"""The folder without locks that was reported."""


class InUseError(ValueError):
    """An output that another run is making: which run, since when, remedy."""


@contextmanager
def held(output: Path, *beside: str) -> Iterator[None]:
    """Hold an output's lock for the block; of several processes of one training the first holds it. Raises InUseError.

    Args:
        beside: names of files in the same folder that are made with it.
    """
    if os.environ.get("RANK", "0") != "0":
        yield
        return
    take(output, output, *(output.with_name(name) for name in beside))
    try:
        yield
    finally:
        release(output)


def take(output: Path, *made: Path) -> None:
    """Hold an output's lock until `release` or the end of the process; held already by it, nothing changes. Raises InUseError.

    Args:
        made: the files under the lock; their partial files of killed runs are removed.
    """
    path = _lock_of(output)
    if path in _held:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, RETRY, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise InUseError(_in_use(output, path)) from error
    except OSError as error:
        if error.errno not in WITHOUT:
            raise
        path.unlink(missing_ok=True)
        _tell_once(path.parent, error)
        return
    with suppress(OSError):  # writing outputs will report a full disk; the lock works without a text
        path.write_text(json.dumps(_whoami()))
    _held[path] = lock
    tidying.tidy(made)


def release(output: Path) -> None:
    """Give an output's lock back, if it is held, and take its file away."""
    path = _lock_of(output)
    if path in _held:
        path.unlink(missing_ok=True)
        _held.pop(path).release()


@atexit.register
def _release_all() -> None:
    """Release the locks that failed runs still hold."""
    for path in list(_held):
        with suppress(OSError):
            release(path.with_name(path.name.removesuffix(SUFFIX)))


def _lock_of(output: Path) -> Path:
    output = output.absolute()
    return output.with_name(output.name + SUFFIX)


def _whoami() -> dict:
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": datetime.now(UTC).isoformat(timespec="seconds")}


def _in_use(output: Path, path: Path) -> str:
    try:
        holder = json.loads(path.read_text())
        who = f"process {holder['pid']} on {holder['host']}, since {holder['since']}"
    except (OSError, ValueError, KeyError):
        who = "a process that has just started"
    return (
        f"{output} is being made by another run ({who}). Wait for it, or stop it and run this again: what it has finished is kept. "
        f"The lock, {path}, is released when that process exits; deleting it does not help."
    )


def _tell_once(folder: Path, error: OSError) -> None:
    if not _without:
        sys.stderr.write(
            f"note: the file system of {folder} has no locks ({error.strerror}), so two simultaneous runs on one output are not detected\n"
        )
        _without.append(folder)
