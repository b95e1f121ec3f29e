"""Weak labels drawn from masks, as annotators would give them: points, scribbles, boxes, tags; for experiments on their cost.

Every function looks at one object: a (h, w) bool mask. Whoever calls it brings the random generator.
"""

from typing import Any, cast

import cv2
import numpy as np
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from wsss_stages import UNKNOWN
from wsss_stages.data.weak.polylines import draw

EIGHT = np.ones((3, 3))
"""Neighbours of a pixel that belong to the same part, with those across its corners."""
SMOOTH = 4.0
"""Sigma that a stroke's way along the medial axis is smoothed with, pixels."""
BACKGROUND_STROKES = 3
"""Most strokes on background, one in each of its largest parts ..."""
BACKGROUND_PART = 0.01
"""... that are at least this share of the image."""


def objects(labels: np.ndarray, instances: np.ndarray | None) -> list[tuple[np.ndarray, int]]:
    """Return masks and classes of all objects; without instances the connected parts of each class are objects.

    Args:
        labels: (h, w) classes, 0 background, 255 unknown.  instances: (h, w) numbers, 0 none, 255 unknown.
    """
    found = []
    if instances is not None:
        for number in np.setdiff1d(np.unique(instances), (0, UNKNOWN)):
            mask = instances == number
            classes = labels[mask]
            classes = classes[(classes != 0) & (classes != UNKNOWN)]
            if len(classes):
                found.append((mask, int(np.bincount(classes).argmax())))
        return found
    for cls in np.setdiff1d(np.unique(labels), (0, UNKNOWN)):
        parts, count = _connected(labels == cls, EIGHT)
        found += [(parts == number, int(cls)) for number in range(1, count + 1)]
    return found


def point(mask: np.ndarray, rng: np.random.Generator) -> tuple[int, int]:
    """Return x, y of a click: any pixel at least half as far from the object's outline as its innermost one."""
    depth = _depth(mask)
    ys, xs = np.nonzero(depth >= depth.max() / 2)
    chosen = rng.integers(len(ys))
    return int(xs[chosen]), int(ys[chosen])


def box(mask: np.ndarray, jitter: float, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Return x0 y0 x1 y1, half open, around the object; each side is off by up to `jitter` of the box's own side.

    It stays in the image and keeps at least two pixels a side where the image has them.
    """
    ys, xs = np.nonzero(mask)
    ends = []
    for positions, size in ((xs, mask.shape[1]), (ys, mask.shape[0])):
        low, high = int(positions.min()), int(positions.max()) + 1
        off = rng.uniform(-jitter, jitter, 2) * (high - low)
        low, high = (int(v) for v in np.clip(np.round((low + off[0], high + off[1])), 0, size))
        low = min(low, max(0, size - 2))
        ends.append((low, max(high, min(size, low + 2))))
    (x0, x1), (y0, y1) = ends
    return x0, y0, x1, y1


def stroke(mask: np.ndarray, ratio: float, width: int, rng: np.random.Generator) -> np.ndarray:
    """Return (h, w) bool: a smooth stroke along the object's medial axis, or through the middle of a round one;
    never on its outline.

    Args:
        ratio: share of the longest way along the axis, in [0, 1], 0 for a dot; with the same random numbers a shorter stroke is part of a
            longer one.  width: of the pen, pixels.
    """
    depth = _depth(mask)
    inner = depth > 1
    pen = np.zeros(mask.shape, np.uint8)
    start, turn = rng.random(), rng.uniform(0, np.pi)
    deepest = np.array(np.unravel_index(depth.argmax(), depth.shape))
    if not inner.any():
        pen[tuple(deepest)] = 1
        return pen > 0
    way = _longest_way(_skeleton(inner))
    if len(way) < depth.max():
        half = (depth.max() - 1) / 2 * np.array([np.sin(turn), np.cos(turn)])
        way = np.round(np.linspace(deepest - half, deepest + half, int(depth.max()) + 1)).astype(int)
    smooth = ndimage.gaussian_filter1d(way.astype(float), SMOOTH, axis=0, mode="nearest")
    pixels = np.round(smooth).astype(int)
    smooth = np.where(inner[pixels[:, 0], pixels[:, 1]][:, None], smooth, way)
    draw(pen, smooth[_part(smooth, ratio, start)][:, ::-1], 1, width)
    return (pen > 0) & inner


def scribbles(
    labels: np.ndarray, instances: np.ndarray | None, ratio: float, width: int, rng: np.random.Generator
) -> np.ndarray:
    """Return (h, w) uint8: a stroke on every object and on the largest parts of background, 255 elsewhere."""
    drawn = np.full(labels.shape, UNKNOWN, np.uint8)
    parts, count = _connected(labels == 0)
    areas = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    largest = [n for n in np.argsort(areas)[::-1][:BACKGROUND_STROKES] if areas[n] >= BACKGROUND_PART * labels.size]
    for mask, cls in [(parts == n + 1, 0) for n in largest] + objects(labels, instances):
        drawn[stroke(mask, ratio, width, rng)] = cls
    return drawn


def shortened(drawn: np.ndarray, ratio: float, rng: np.random.Generator) -> np.ndarray:
    """Return (h, w) uint8 scribbles, 255 elsewhere, each cut to a share of its length, wherever along it; 0 leaves a
    dot (Fig. 4.3).

    A scribble is a connected part of one class; branches stay with the place where they leave its longest way. With the same
    random numbers a shorter scribble is part of a longer one.
    """
    left = np.full_like(drawn, UNKNOWN)
    for cls in np.setdiff1d(np.unique(drawn), [UNKNOWN]):
        parts, _ = _connected(drawn == cls, EIGHT)
        for number, place in enumerate(ndimage.find_objects(parts), 1):
            mask = parts[place] == number
            way = _longest_way(_skeleton(mask))
            of_way = np.full(mask.shape, -1)
            of_way[way[:, 0], way[:, 1]] = np.arange(len(way))
            nearest: Any = ndimage.distance_transform_edt(of_way < 0, return_distances=False, return_indices=True)
            kept = _part(way.astype(float), ratio, rng.random())[of_way[tuple(nearest)]]
            left[place][mask & kept] = cls
    return left


def tags(labels: np.ndarray) -> list[int]:
    """Return the classes in the image, without background."""
    return np.setdiff1d(np.unique(labels), (0, UNKNOWN)).tolist()


def _part(way: np.ndarray, ratio: float, start: float) -> np.ndarray:
    """Return (n,) bool: points of a way, (n, 2), of a share of its length; `start` in [0, 1) sets where, and one
    point is always kept.
    """
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(way, axis=0).T))])
    low = start * (1 - ratio) * length[-1]
    kept = (length >= low - 1e-9) & (length <= low + ratio * length[-1] + 1e-9)
    kept[np.abs(length - low).argmin()] |= not kept.any()
    return kept


def _connected(mask: np.ndarray, structure: np.ndarray | None = None) -> tuple[np.ndarray, int]:
    """Return the numbers of a mask's connected parts, from 1, and their count; `structure` None connects four neighbours."""
    return cast(tuple[np.ndarray, int], ndimage.label(mask, structure))


def _depth(mask: np.ndarray) -> np.ndarray:
    """Return the distance of every pixel of the mask to the outside, which includes the image's border."""
    return cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]


def _skeleton(mask: np.ndarray) -> np.ndarray:
    """Return the pixels in the middle of a mask."""
    from skimage.morphology import skeletonize  # half a second, which other labels need not wait

    return skeletonize(mask)


def _longest_way(skeleton: np.ndarray) -> np.ndarray:
    """Return (n, 2) y, x of the longest of the shortest ways between two pixels of a skeleton, nearly: found by two
    sweeps.
    """
    parts, _ = _connected(skeleton, EIGHT)
    largest = np.bincount(parts.ravel())[1:].argmax() + 1
    pixels = np.argwhere(parts == largest)
    number = np.full(np.array(skeleton.shape) + 2, -1)
    number[pixels[:, 0] + 1, pixels[:, 1] + 1] = np.arange(len(pixels))
    edges = []
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        to = number[pixels[:, 0] + 1 + dy, pixels[:, 1] + 1 + dx]
        (start,) = np.nonzero(to >= 0)
        edges.append(np.stack([start, to[start], np.full(len(start), np.hypot(dy, dx))]))
    a, b, far = np.concatenate(edges, axis=1)
    graph = coo_array((far, (a.astype(int), b.astype(int))), shape=(len(pixels),) * 2).tocsr()
    end = int(dijkstra(graph, directed=False, indices=0).argmax())
    distance, before = dijkstra(graph, directed=False, indices=end, return_predecessors=True)
    way = [int(distance.argmax())]
    while way[-1] != end:
        way.append(int(before[way[-1]]))
    return pixels[way]
