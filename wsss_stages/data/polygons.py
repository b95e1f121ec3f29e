"""Polygons to masks: a pixel belongs to a polygon where its centre lies inside by the even-odd rule.

Pixel (x, y) covers x..x+1 and y..y+1. Rings of one polygon are holes in one another; a ring that crosses itself has holes, too.
"""

from collections.abc import Sequence

import numpy as np

from wsss_stages.data.patches import Patch


def filled(rings: Sequence[np.ndarray], height: int, width: int) -> tuple[Patch, bool]:
    """Return the mask of rings, (n, 2) x, y each, inside an image, and whether a ring crosses itself or another one.

    Of rings that cross nowhere every pixel is surrounded once or not at all, and everywhere in one direction.
    """
    points = np.concatenate(rings)
    left, top = np.clip(np.floor(points.min(axis=0)), 0, (width, height)).astype(int).tolist()
    right, bottom = np.clip(np.ceil(points.max(axis=0)), 0, (width, height)).astype(int).tolist()
    turns = np.zeros((bottom - top, right - left + 1), np.int32)
    for ring in rings:
        _add_turns(turns, ring - (left + 0.5, top + 0.5))
    around = turns[:, :-1].cumsum(axis=1)
    crossing = max(0, int(around.max(initial=0))) - min(0, int(around.min(initial=0))) > 1
    return Patch.of(around % 2 == 1, top, left), crossing


def ellipse(cx: float, cy: float, rx: float, ry: float, degrees: float = 0.0, corners: int = 64) -> np.ndarray:
    """Return (corners, 2) x, y on an ellipse that is turned clockwise about its centre."""
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return turned(np.stack([cx + rx * np.cos(angles), cy + ry * np.sin(angles)], axis=1), (cx, cy), degrees)


def turned(points: np.ndarray, about: tuple[float, float], degrees: float) -> np.ndarray:
    """Return points (n, 2) x, y turned clockwise, as seen with y down."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return (points - about) @ np.array([[cos, sin], [-sin, cos]]) + about


def _add_turns(turns: np.ndarray, ring: np.ndarray) -> None:
    """Add, for every row of pixel centres, +1 or -1 at the first centre to the right of each edge that the row crosses.

    An edge gives the same numbers in both directions, so that a way there and back encloses nothing.
    """
    begin, end = ring, np.roll(ring, -1, axis=0)
    down = (end[:, 1] > begin[:, 1])[:, None]
    (x0, y0), (x1, y1) = np.where(down, begin, end).T, np.where(down, end, begin).T
    first, last = (np.ceil(y).clip(0, len(turns)).astype(int) for y in (y0, y1))
    counts = last - first
    edge = np.repeat(np.arange(len(ring)), counts)
    row = np.arange(len(edge)) - np.repeat(counts.cumsum() - counts, counts) + first[edge]
    x = x0[edge] + (row - y0[edge]) / (y1 - y0)[edge] * (x1 - x0)[edge]
    column = np.ceil(x).clip(0, turns.shape[1] - 1).astype(int)
    np.add.at(turns, (row, column), np.where(down[:, 0], 1, -1)[edge])
