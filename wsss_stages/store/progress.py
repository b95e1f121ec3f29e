"""Progress on a terminal and in a log, with the time left."""

import time
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar, runtime_checkable

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
EVERY = 10.0
"""Seconds between two lines in a log."""


@runtime_checkable
class Counted(Protocol[T_co]):
    """Items whose number is known before they are made."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[T_co]: ...


class Pace:
    """Units of work done since a start, and when a line about them is due."""

    def __init__(self, total: int, first: int = 0):
        """Start the line; `first` of `total` units were done before."""
        self.total, self.first = total, first
        self.start = self.reported = time.monotonic()

    def due(self, done: int) -> bool:
        """Check whether the last line is ten seconds old or all is done; if so, the next one counts from now."""
        now = time.monotonic()
        if now - self.reported < EVERY and done < self.total:
            return False
        self.reported = now
        return True

    def rate(self, done: int) -> float:
        """Return units a second."""
        return (done - self.first) / max(time.monotonic() - self.start, 1e-9)

    def left(self, done: int) -> float:
        """Return the seconds left at this rate."""
        return (self.total - done) / max(self.rate(done), 1e-9)


def progress(items: Counted[T], what: str, doing: Callable[[T], str] | None = None) -> Iterator[T]:
    """Iterate with a progress bar that shows images per second and the time left (plain lines without a terminal).

    `doing`: text about the item at work; for few items that each take long. A log then has a line before each.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as bar:
            task = bar.add_task(what, total=len(items))
            for item in items:
                bar.update(task, description=f"{what}: {doing(item)}" if doing else what)
                yield item
                bar.advance(task)
        return
    pace = Pace(len(items))
    for done, item in enumerate(items, 1):
        if doing:
            console.print(f"{what}: {done}/{pace.total}, {doing(item)}")
        yield item
        if not doing and pace.due(done):
            console.print(f"{what}: {done}/{pace.total}, {pace.rate(done):.2f} a second, {pace.left(done):.0f} s left")
