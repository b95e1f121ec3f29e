"""Masks to polygons that give the same masks again: outlines along the sides of pixels, moved inwards a little.

Readers of polygons differ: some fill the pixels whose centres are inside, others (Ultralytics) cut the corners to whole numbers and fill with
the border. With corners INSET pixels inside the pixels' sides both give the mask; one that rounds the corners (supervision) sees it a pixel
larger to the right and below.
"""

import numpy as np

from wsss_stages.data.patches import Patch

INSET = 0.05
"""Pixels that corners lie inside the pixels' sides."""


def outlines(patch: Patch) -> list[np.ndarray]:
    """Return the rings of a mask, (n, 2) x, y of the image: around its parts with the mask to the right, around its holes likewise.

    Parts that only touch at a corner have rings of their own.
    """
    padded = np.pad(patch.pixels, 1)
    heads = _edges(padded)
    rings = []
    while heads:
        start = next(iter(heads))
        ring, at = [start], start
        while True:
            turn = heads[at].pop(_right_most(heads[at], ring))
            if not heads[at]:
                del heads[at]
            at = turn
            if at == start and (start not in heads or len(ring) > 3):
                break
            ring.append(at)
        rings.append(_corners(np.array(ring)) + np.array([patch.left - 1, patch.top - 1]))
    return rings


def _edges(padded: np.ndarray) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Return the unit edges between mask and background by their start, each with the mask on its right."""
    heads: dict[tuple[int, int], list[tuple[int, int]]] = {}
    down, across = padded[1:] & ~padded[:-1], padded[:-1] & ~padded[1:]
    sides = (
        (down, (1, 0), (1, 1)),  # above a pixel, to the right
        (across, (1, 1), (1, 0)),  # below one, to the left
        (padded[:, :-1] & ~padded[:, 1:], (0, 1), (1, 1)),  # right of one, down
        (padded[:, 1:] & ~padded[:, :-1], (1, 1), (0, 1)),  # left of one, up
    )
    for side, tail, head in sides:
        places = np.argwhere(side)
        for (y0, x0), (y1, x1) in zip((places + tail).tolist(), (places + head).tolist(), strict=True):
            heads.setdefault((x0, y0), []).append((x1, y1))
    return heads


def _right_most(choices: list[tuple[int, int]], ring: list[tuple[int, int]]) -> int:
    """Return which edge to take where two begin: the one that turns right, so that pixels that touch at a corner stay apart."""
    if len(choices) == 1 or len(ring) < 2:
        return 0
    (x0, y0), (x1, y1) = ring[-2:]
    turns = [(x1 - x0) * (y - y1) - (y1 - y0) * (x - x1) for x, y in choices]
    return int(np.argmax(turns))


def _corners(ring: np.ndarray) -> np.ndarray:
    """Return the corners of a ring of unit edges, moved inwards: to the right of both edges."""
    before, after = ring - np.roll(ring, 1, axis=0), np.roll(ring, -1, axis=0) - ring
    is_corner = (before != after).any(axis=1)
    inwards = np.stack([-(before + after)[:, 1], (before + after)[:, 0]], axis=1)
    return ring[is_corner] + INSET * inwards[is_corner]


def bridged(rings: list[np.ndarray]) -> np.ndarray:
    """Return one ring of several: to the nearest corner of each further one and back on the same way, which encloses nothing."""
    whole = rings[0]
    for ring in rings[1:]:
        gap = ((whole[:, None] - ring[None]) ** 2).sum(axis=2)
        near, far = np.unravel_index(gap.argmin(), gap.shape)
        detour = np.concatenate([ring[far:], ring[: far + 1]])
        whole = np.concatenate([whole[: near + 1], detour, whole[near:]])
    return whole
