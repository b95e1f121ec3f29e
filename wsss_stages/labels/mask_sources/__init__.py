"""Sources of masks for boxes by name; every module of this folder registers its own (DESIGN, decision 11).

A source is a frozen dataclass whose fields are options of the same names; an instance is called with every image.
"""

from typing import Protocol

import numpy as np
from jaxtyping import Bool, Integer, UInt8

from wsss_stages.nets.registry import Registry


class MaskSource(Protocol):
    """Makes the mask of every box of an image on its own."""

    def __call__(
        self, image: UInt8[np.ndarray, "h w 3"], boxes: Integer[np.ndarray, "k 4"], seed: int
    ) -> tuple[Bool[np.ndarray, "k h w"], list[str]]:
        """Return the masks, and of every box why its mask was substituted, "" if it was not."""
        ...


MASK_SOURCES: Registry[type[MaskSource]] = Registry(__name__)
mask_source = MASK_SOURCES.register
