"""Run-length codes of masks as COCO writes them; invalid codes are refused before they are decoded.

Runs go down the columns, beginning with background: {"size": [h, w], "counts": [n, ...]}, or compressed to a text in which a
run is stored in groups of five bits, from the fourth on as its difference to the run two before.
"""

from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

LONGEST = 60
"""Bits of a run in a compressed code."""


class RleError(ValueError):
    """A run-length code that does not fit its image."""


def encode(masks: np.ndarray) -> list[dict]:
    """Return the compressed codes of (k, h, w) masks, `counts` as text."""
    codes: Any = coco_mask.encode(np.asfortranarray(masks.transpose(1, 2, 0), np.uint8)) if len(masks) else []
    return [{"size": [int(n) for n in code["size"]], "counts": code["counts"].decode("ascii")} for code in codes]


def pack(masks: np.ndarray) -> dict[str, np.ndarray]:
    """Return masks as contracts.DETECTIONS stores them: `rle` and `ends`."""
    texts = [code["counts"].encode("ascii") for code in encode(masks)]
    return {"rle": np.frombuffer(b"".join(texts), np.uint8), "ends": np.cumsum([len(t) for t in texts], dtype=np.int64)}


def unpack(packed: dict[str, np.ndarray], height: int, width: int) -> list[dict]:
    """Return the codes that `pack` stored."""
    text, ends = packed["rle"].tobytes().decode("ascii"), packed["ends"].tolist()
    return [{"size": [height, width], "counts": text[begin:end]} for begin, end in zip([0, *ends], ends, strict=False)]


def without(code: dict, region: np.ndarray) -> dict:
    """Return a mask's code without a region's pixels: `segmentation`, `area`, and `in_void`, the share that lay in
    the region.
    """
    mask = decode(code, *region.shape)
    left = mask & ~region
    (segmentation,) = encode(left[None])
    area = int(left.sum())
    return {"segmentation": segmentation, "area": area, "in_void": 1 - area / max(1, int(mask.sum()))}


def decode(code: dict, height: int, width: int) -> np.ndarray:
    """Return (height, width) bool of either kind of code. Raises RleError."""
    size = code.get("size")
    if size != [height, width]:
        raise RleError(f"a run-length code of size {size}, not {[height, width]}")
    counts = code.get("counts")
    runs = _runs(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or any(type(run) is not int or run < 0 for run in runs):
        raise RleError(f"run lengths {str(counts)[:40]}, not whole numbers from 0")
    if any(run > height * width for run in runs):
        raise RleError(f"a run of more than all {height * width} pixels")
    if sum(runs) != height * width:
        raise RleError(f"run lengths that sum to {sum(runs)}, not {height * width}")
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(width, height).T


def _runs(text: str) -> list[int]:
    runs: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64:
            raise RleError(f"character {character!r} in a run-length code")
        value |= (bits & 31) << shift
        shift += 5
        if shift > LONGEST:
            raise RleError("a run-length code with a number without end")
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift:
        raise RleError("a run-length code that ends within a number")
    return runs
