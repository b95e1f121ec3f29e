"""Masks of the user's own as a source: FOLDER/ID/K.png or FOLDER/ID.json."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from wsss_stages.config.options import Masks
from wsss_stages.data.index import Index, Record
from wsss_stages.data.mask_files import MaskFiles
from wsss_stages.labels.prompt_masks import PromptMasks, Soft, substitute
from wsss_stages.labels.prompts import KINDS, Prompt
from wsss_stages.roads.mask_sources import Given, Notes, mask_source

HALF = 127.5
"""Grey above which a pixel is object."""


@mask_source("folder")
class Folder:
    """Masks that lie in a folder, as `data.mask_files` reads them."""

    kinds: tuple[str, ...] = KINDS
    weights = ""

    def __init__(self, files: MaskFiles):
        self.files = files

    @classmethod
    def build(cls, opt: Masks, index: Index, device: str) -> "Folder":
        """Return the source of a folder. Raises ValueError where it is missing or has no mask of any training image."""
        files = MaskFiles(Path(opt.folder))
        files.check(index.split("train"))
        return cls(files)

    def evidence(self, record: Record) -> Any:
        """Return names and sha256 of an image's files."""
        return self.files.evidence(record)

    def __call__(self, given: Given, prompts: Sequence[Prompt]) -> tuple[PromptMasks, Notes]:
        """Return the masks of an image's files, soft ones where any of them is; a mask that is missing or empty is substituted."""
        height, width = given.image.shape[:2]
        found = self.files.read(given.record, len(prompts))
        scaled = [None if grey is None else _to(grey, height, width) for grey in found]
        reasons = ["mask_missing" if grey is None else "mask_empty" * (not grey.any()) for grey in found]
        hard = [np.zeros((height, width), bool) if grey is None else grey > HALF for grey in scaled]
        reasons = [reason or "mask_empty" * (not mask.any()) for reason, mask in zip(reasons, hard, strict=True)]
        grey = any(one is not None and ((one > 0) & (one < 255)).any() for one in scaled)
        soft = [_cut(one) for one in scaled] if grey else None
        confidence = np.array([0.0 if reason else 1.0 for reason in reasons])
        return PromptMasks(substitute(np.stack(hard), reasons, prompts), reasons, confidence, soft), {}


def _to(grey: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a mask at the working size of the image."""
    if grey.shape == (height, width):
        return grey
    return cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)


def _cut(grey: np.ndarray | None) -> Soft:
    """Return the part of a soft mask that is not 0."""
    if grey is None or not grey.any():
        return Soft((0, 0, 0, 0), np.zeros((0, 0), np.uint8))
    x, y, width, height = cv2.boundingRect(grey)
    return Soft((x, y, x + width, y + height), grey[y : y + height, x : x + width])
