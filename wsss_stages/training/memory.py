"""Parts of a batch that does not fit into a GPU's memory, and a record of them."""

import gc
import sys

import torch


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


def release() -> None:
    """Release the memory of a batch that did not fit."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
