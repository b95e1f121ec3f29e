"""SIGTERM, by which a cluster tells a job that its time is up: noted, so that work ends where it can go on."""

import math
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

EXIT_CODE = 128 + signal.SIGTERM
"""What a shell tells of a process that SIGTERM ended."""


AGAIN = 5.0
"""Seconds after the first SIGTERM in which others change nothing: SLURM sends a job out of time two at once."""


class Watch:
    """Whether SIGTERM has come."""

    asked = False


@contextmanager
def watched() -> Iterator[Watch]:
    """Note the first SIGTERM instead of dying of it; one that comes more than AGAIN seconds later ends the process at once.

    Outside of the main thread, where no signal arrives, nothing is ever noted.
    """
    watch = Watch()
    if threading.current_thread() is not threading.main_thread():
        yield watch
        return

    first = math.inf

    def note(*_: object) -> None:
        nonlocal first
        watch.asked, first = True, min(first, time.monotonic())
        if time.monotonic() - first > AGAIN:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.raise_signal(signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield watch
    finally:
        signal.signal(signal.SIGTERM, before)


def leave(message: str) -> NoReturn:
    """Tell what was left where, and end with the exit code of SIGTERM."""
    sys.stderr.write(message + "\n")
    raise SystemExit(EXIT_CODE)
