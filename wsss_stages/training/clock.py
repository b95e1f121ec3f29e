"""Progress of a training: loss, speed and time left every ten seconds; how long a step took."""

import time

from rich.console import Console


class Clock:
    """Tells what a training does, if it is the process to tell it."""

    def __init__(self, stage: str, step: int, steps: int, batch: int, tells: bool):
        self.stage, self.first, self.steps, self.batch = stage, step, steps, batch
        self.start = self.told = self.ended = time.monotonic()
        self.console = Console(stderr=True, quiet=not tells)
        if step:
            self.console.print(f"{stage}: resumed at step {step} of {steps}")

    def tell(self, step: int, loss: float) -> float:
        """A step is done. Returns: seconds since the one before."""
        now = time.monotonic()
        took, self.ended = now - self.ended, now
        if now - self.told < 10 and step < self.steps:
            return took
        self.told = now
        rate = (step - self.first) / max(now - self.start, 1e-9)
        self.console.print(
            f"{self.stage}: step {step}/{self.steps}, loss {loss:.4f}, {rate * self.batch:.1f} images a second, "
            f"{(self.steps - step) / rate / 60:.1f} min left"
        )
        return took

    def say(self, text: str) -> None:
        """Print a line, if this is the process to tell it."""
        self.console.print(text, soft_wrap=True)
