"""Progress on a terminal and in a log, with the time left."""

import time
from collections.abc import Iterator, Sized


def progress(items: Sized, what: str) -> Iterator:
    """Iterate with a progress bar that shows images per second and the time left (plain lines without a terminal)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if console.is_terminal:
        columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as bar:
            yield from bar.track(items)
        return
    start, told = time.monotonic(), 0.0
    for number, item in enumerate(items):
        yield item
        seconds = time.monotonic() - start
        if seconds - told > 10 or number + 1 == len(items):
            told = seconds
            left = seconds / (number + 1) * (len(items) - number - 1)
            console.print(
                f"{what}: {number + 1}/{len(items)}, {(number + 1) / max(seconds, 1e-9):.2f} a second, {left:.0f} s left"
            )
