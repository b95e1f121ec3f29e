"""Choices by a hash: the same on every machine, whatever else is chosen."""

import hashlib
from collections.abc import Sequence

import numpy as np


def stable_hash(text: str, *salt: object) -> int:
    """Return the same 63-bit number for the same text and salt on every machine."""
    digest = hashlib.sha256("\0".join(map(str, (text, *salt))).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def hashes(texts: Sequence[str], *salt: object) -> np.ndarray:
    """Return (n,) uint64 `stable_hash` of every text."""
    return np.fromiter((stable_hash(text, *salt) for text in texts), np.uint64, len(texts))


def sample(ids: Sequence[str], limit: int) -> list[str]:
    """Return `count` of the ids, chosen by their hashes, in the same order."""
    kept = np.argsort(hashes(ids, "data.limit"), kind="stable")[:limit]
    return [ids[int(position)] for position in np.sort(kept)]
