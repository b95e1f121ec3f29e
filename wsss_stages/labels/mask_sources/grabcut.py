"""GrabCut as a source of masks (Eq. 3.2)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Integer, UInt8

from wsss_stages.labels.grabcut import foregrounds
from wsss_stages.labels.mask_sources import mask_source


@mask_source("grabcut")
@dataclass(frozen=True)
class GrabCut:
    """The settings of `labels.grabcut.foregrounds`, which makes the masks."""

    grabcut_iterations: int
    grabcut_min_side: int
    grabcut_min_iou: float

    def __call__(
        self, image: UInt8[np.ndarray, "h w 3"], boxes: Integer[np.ndarray, "k 4"], seed: int
    ) -> tuple[Bool[np.ndarray, "k h w"], list[str]]:
        """Return the foreground of every box, and why it was substituted, "" if it was not."""
        limits = self.grabcut_iterations, self.grabcut_min_side, self.grabcut_min_iou
        return foregrounds(image, boxes, *limits, seed)
