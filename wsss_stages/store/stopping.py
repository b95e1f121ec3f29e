"""SIGTERM, by which a cluster ends a job whose time is up: noted, so that work stops where it can be resumed."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

EXIT_CODE = 128 + signal.SIGTERM
"""Exit code that a shell reports for a process that SIGTERM ended."""


class Watch:
    """A flag that is set when SIGTERM has come."""

    asked = False


@contextmanager
def watched() -> Iterator[Watch]:
    """Note SIGTERM instead of dying of it, however often it comes: SLURM sends a job whose time is up two of them,
    and SIGKILL in the end.

    Outside of the main thread, where no signal arrives, nothing is ever noted.
    """
    watch = Watch()
    if threading.current_thread() is not threading.main_thread():
        yield watch
        return

    def note(*_: object) -> None:
        watch.asked = True

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield watch
    finally:
        signal.signal(signal.SIGTERM, before)


def leave(message: str) -> NoReturn:
    """Log what was left where, and exit with the exit code of SIGTERM."""
    sys.stderr.write(message + "\n")
    raise SystemExit(EXIT_CODE)
