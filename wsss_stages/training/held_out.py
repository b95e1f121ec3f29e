"""The items that a training holds out: it never learns from them, and its network is graded on them."""

from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any

import numpy as np

from wsss_stages.config.options import Training
from wsss_stages.data.index import stable_hash
from wsss_stages.data.selection import Selection

FEWEST = 20
"""With fewer images none is held out."""
MOST = 1000
"""Most images that are held out."""


def hold_out(
    items: Sequence, stage: str, options: Training, image_id: Callable[[Any], str]
) -> tuple[Sequence, Sequence]:
    """Return the items to learn from and those held out, both in their order.

    Which images are held out depends on seed, stage and the ids of the images alone. All items of an image stay together.
    """
    hashes = np.fromiter(
        (stable_hash(image_id(item), stage, "held_out", options.seed) for item in items), np.uint64, len(items)
    )
    images = np.unique(hashes)
    if not options.held_out or len(images) < FEWEST:
        return items, ()
    count = min(MOST, max(1, round(options.held_out * len(images))))
    held = hashes <= images[count - 1]
    return _those(items, ~held), _those(items, held)


def _those(items: Sequence, chosen: np.ndarray) -> Sequence:
    return items.where(chosen) if isinstance(items, Selection) else list(compress(items, chosen))
