"""GrabCut as a source of masks of boxes (Eq. 3.2)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from wsss_stages.config.options import Masks
from wsss_stages.data.hashes import stable_hash
from wsss_stages.data.index import Index, Record
from wsss_stages.labels.grabcut import foregrounds
from wsss_stages.labels.prompt_masks import PromptMasks
from wsss_stages.labels.prompts import Prompt
from wsss_stages.roads.mask_sources import Given, Notes, mask_source

DRAWS = "s3_seeds"
"""Name of the random draws: of the stage that made these masks first, so that they stay the same."""


@mask_source("grabcut")
class GrabCut:
    """The foreground of every box by `labels.grabcut.foregrounds`."""

    kinds: tuple[str, ...] = ("box",)
    weights = ""

    def __init__(self, opt: Masks):
        self.opt = opt

    @classmethod
    def build(cls, opt: Masks, index: Index, device: str) -> "GrabCut":
        """Return GrabCut with its options."""
        return cls(opt)

    def evidence(self, record: Record) -> Any:
        """Return nothing more than the image and its boxes."""
        return None

    def __call__(self, given: Given, prompts: Sequence[Prompt]) -> tuple[PromptMasks, Notes]:
        """Return hard masks; where GrabCut fails, the whole box."""
        opt = self.opt
        boxes = np.array([prompt.box for prompt in prompts], int)
        seed = stable_hash(given.record.id, DRAWS, opt.seed) % 2**31
        limits = opt.grabcut_iterations, opt.grabcut_min_side, opt.min_share
        masks, reasons = foregrounds(given.image, boxes, *limits, seed)
        confidence = np.array([0.0 if reason else 1.0 for reason in reasons])
        return PromptMasks(masks, reasons, confidence), {}
