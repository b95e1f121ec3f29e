"""Parts of a batch that does not fit into a GPU's memory, and a record of them."""

import gc
import sys
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import torch

T = TypeVar("T")
U = TypeVar("U")
NOTE = "images_in_micro_batches"
"""Name of the count of images whose batch did not fit, in manifests."""


class TooLargeError(ValueError):
    """Not even one image fits: stage, step, remedy."""


class Parts:
    """The number of parts (micro-batches) of a batch, doubled whenever one does not fit into memory.

    `doublings` has {step, parts} of every time that happened.
    """

    def __init__(self, number: int, doublings: list[dict[str, int]] | None = None):
        self.number, self.doublings = number, list(doublings or [])

    def double(self, stage: str, step: int, items: int, most: int) -> None:
        """Double the parts after a batch of `items` items did not fit; at most `most` parts are possible.

        Raises TooLargeError.
        """
        if self.number >= most:
            raise TooLargeError(
                f"{stage}: out of GPU memory at step {step}, with {items} images in {self.number} parts, the most possible. "
                "Use a smaller crop or batch_size, a larger stride, or a GPU with more memory."
            )
        self.number = min(2 * self.number, most)
        self.doublings.append({"step": step, "parts": self.number})
        sys.stderr.write(
            f"{stage}: out of GPU memory at step {step}; from now on {items} images are split into {self.number} parts\n"
        )
        release()


class MicroBatches(Generic[T, U]):
    """Work on batches, which go in parts from the first that does not fit into a GPU's memory on."""

    def __init__(self, stage: str, work: Callable[[Sequence[T]], list[U]], option: str):
        """
        Args:
            work: returns the result of every item of a batch.  option: that limits the batches, for the message.
        """
        self.stage, self.work, self.option = stage, work, option
        self.most = 0
        """Most items at once; 0: as many as a batch has."""

    def results(self, batch: Sequence[T]) -> tuple[list[U], dict[str, int]]:
        """Return the results of a batch, and the note that the manifest has of each of its images. Raises TooLargeError."""
        found: list[U] = []
        while len(found) < len(batch):
            part = batch[len(found) :][: self.most or None]
            try:
                found += self.work(part)
            except torch.OutOfMemoryError as error:
                if len(part) == 1:
                    raise TooLargeError(
                        f"{self.stage}: out of GPU memory with a single image. Use a larger stride, smaller images (data.max_side), or a "
                        "GPU with more memory; device: cpu always works."
                    ) from error
                self.most = len(part) // 2
                sys.stderr.write(
                    f"{self.stage}: out of GPU memory with {len(part)} images at once; from now on {self.most} at once. A smaller "
                    f"{self.option} avoids the attempt.\n"
                )
            else:
                continue
            release()
        return found, {NOTE: 1} if 0 < self.most < len(batch) else {}


def release() -> None:
    """Release the memory of a batch that did not fit."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
