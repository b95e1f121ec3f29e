"""Progress of a training: loss, speed and time left every ten seconds; how long a step took."""

import time

from rich.console import Console

from wsss_stages.store.progress import Pace


class Clock:
    """The reports of a training, by its first process."""

    def __init__(self, stage: str, step: int, steps: int, batch: int, is_leader: bool):
        self.stage, self.batch = stage, batch
        self.pace, self.ended = Pace(steps, step), time.monotonic()
        self.console = Console(stderr=True, quiet=not is_leader)
        if step:
            self.console.print(f"{stage}: resumed at step {step} of {steps}")

    def report(self, step: int, loss: float) -> float:
        """Report a finished step if it is time to, and return the seconds since the one before."""
        now = time.monotonic()
        seconds, self.ended = now - self.ended, now
        if self.pace.due(step):
            self.console.print(
                f"{self.stage}: step {step}/{self.pace.total}, loss {loss:.4f}, {self.pace.rate(step) * self.batch:.1f} images a "
                f"second, {self.pace.left(step) / 60:.1f} min left",
                soft_wrap=True,
            )
        return seconds

    def say(self, text: str) -> None:
        """Print a line."""
        self.console.print(text, soft_wrap=True)
