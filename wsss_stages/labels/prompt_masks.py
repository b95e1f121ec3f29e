"""Masks of an image's prompts, hard and, of sources that have them, soft; and how contracts.MASKS stores them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Integer, UInt8

from wsss_stages.labels.prompts import KINDS, Prompt

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Soft:
    """The probabilities of an object's pixels inside a region, 0 outside of it."""

    region: Box
    """x0 y0 x1 y1, pixels, half open."""
    P: UInt8[np.ndarray, "y x"]
    """0..255 for 0..1."""


@dataclass(frozen=True)
class PromptMasks:
    """The masks that a source made of an image's prompts."""

    hard: Bool[np.ndarray, "k h w"]
    reasons: list[str]
    """Why a mask was substituted, "" if it was not."""
    confidence: Float[np.ndarray, "k"]
    """In [0, 1], the source's own; 0 where the mask was substituted."""
    soft: list[Soft] | None = None
    """None of a source whose masks are hard."""


def pack(prompts: Sequence[Prompt], made: PromptMasks) -> dict[str, np.ndarray]:
    """Return masks as contracts.MASKS stores them."""
    soft = made.soft or []
    regions = [one.region for one in soft] or [(0, 0, 0, 0)] * len(prompts)
    return {
        "packed": np.packbits(made.hard, axis=2),
        "substituted": np.array(made.reasons, dtype=bool),
        "confidence": made.confidence.astype(np.float16),
        "classes": np.array([prompt.cls for prompt in prompts], np.uint8),
        "kind": np.array([KINDS.index(prompt.kind) for prompt in prompts], np.uint8),
        "region": np.array(regions, np.int32).reshape(-1, 4),
        "P": np.concatenate([np.zeros(0, np.uint8), *(one.P.ravel() for one in soft)]),
    }


def unpack_bits(packed: np.ndarray, width: int) -> np.ndarray:
    """Return (k, h, width) bool of contracts.MASKS."""
    return np.unpackbits(packed, axis=2, count=width).astype(bool)


class StoredMasks:
    """The masks of contracts.MASKS again."""

    def __init__(self, stored: dict[str, np.ndarray], width: int):
        self.hard = unpack_bits(stored["packed"], width)
        self.substituted, self.classes, self.kind = stored["substituted"], stored["classes"], stored["kind"]
        self._regions, sizes = stored["region"], stored["region"][:, 2:] - stored["region"][:, :2]
        self._ends, self._P = np.cumsum(sizes.prod(axis=1)), stored["P"]

    def of(self, *kinds: str) -> Bool[np.ndarray, "k"]:
        """Return which prompts are of these kinds."""
        return np.isin(self.kind, [KINDS.index(kind) for kind in kinds])

    def within(self, number: int, box: Sequence[int] | Integer[np.ndarray, "side"]) -> Float[np.ndarray, "y x"]:
        """Return the probabilities of a prompt's object at the pixels of a box: its soft mask, or its hard one where there is no other."""
        x0, y0, x1, y1 = (int(v) for v in box)
        if not len(self._P) or self.substituted[number]:
            return self.hard[number, y0:y1, x0:x1].astype(np.float32)
        left, top, right, bottom = self._regions[number].tolist()
        whole = np.zeros(self.hard.shape[1:], np.uint8)
        flat = self._P[self._ends[number] - (right - left) * (bottom - top) : self._ends[number]]
        whole[top:bottom, left:right] = flat.reshape(bottom - top, right - left)
        return whole[y0:y1, x0:x1].astype(np.float32) / 255


def substitute(
    hard: Bool[np.ndarray, "k h w"], reasons: Sequence[str], prompts: Sequence[Prompt]
) -> Bool[np.ndarray, "k h w"]:
    """Return the masks, in place of those with a reason the whole box of a box, or nothing of another prompt."""
    made = hard.copy()
    for mask, reason, prompt in zip(made, reasons, prompts, strict=True):
        if reason:
            mask[:] = False
            if prompt.kind == "box" and prompt.box:
                x0, y0, x1, y1 = prompt.box
                mask[y0:y1, x0:x1] = True
    return made
