"""Prompts of mask sources from weak labels: boxes, clicks, scribbles, and of tags the confident parts of their CAMs."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int, Integer, UInt8

from wsss_stages import UNKNOWN
from wsss_stages.labels.connected import bounds, connected

KINDS = ("box", "scribble", "point", "tag")
"""Kinds of prompts; contracts.MASKS stores their numbers."""
NO_POINTS = np.zeros((0, 2), np.int64)


@dataclass(frozen=True)
class Prompt:
    """The facts that a weak label gives of one object: a box, points inside and outside, or both."""

    cls: int
    """1..N."""
    kind: str
    """Kind of the weak label."""
    box: tuple[int, int, int, int] | None = None
    """x0 y0 x1 y1, pixels, half open."""
    inside: Int[np.ndarray, "p 2"] = field(default_factory=lambda: NO_POINTS)
    """x, y of pixels of the object."""
    outside: Int[np.ndarray, "q 2"] = field(default_factory=lambda: NO_POINTS)
    """x, y of pixels that are not of the object."""


def of_boxes(boxes: Integer[np.ndarray, "k 4"], classes: Integer[np.ndarray, "k"]) -> list[Prompt]:
    """Return a prompt for every box, in their order."""
    return [Prompt(int(c), "box", tuple(box)) for box, c in zip(boxes.tolist(), classes, strict=True)]


def of_clicks(points: Sequence[Sequence[int]]) -> list[Prompt]:
    """Return a prompt for every click x, y, class on an object, in their order; clicks of other classes, 0 among them, are outside it.

    Another click of the same class may lie on the same object or on another one, so it says nothing.
    """
    places, classes = np.array([p[:2] for p in points], int).reshape(-1, 2), np.array([p[2] for p in points], int)
    return [
        Prompt(int(c), "point", None, places[k : k + 1], places[classes != c]) for k, c in enumerate(classes) if c > 0
    ]


def of_scribbles(marks: UInt8[np.ndarray, "h w"], count: int) -> list[Prompt]:
    """Return a prompt for every scribble on an object, class by class, of one class in the order of their first pixels, row by row.

    Points inside are spread along its skeleton; points outside are spread over the skeletons of scribbles of other classes, 0 among them.

    Args:
        marks: classes of scribbles, 255 elsewhere.  count: most points inside, and most points outside.
    """
    lines = {c: scribbles_of(marks == c) for c in np.unique(marks[marks != UNKNOWN]).tolist()}
    prompts = []
    for c in sorted(set(lines) - {0}):
        others = [_along(line, count) for other, found in lines.items() if other != c for line in found]
        outside = _spread(np.concatenate([NO_POINTS, *others]), count)
        prompts += [Prompt(c, "scribble", None, _along(line, count), outside) for line in lines[c]]
    return prompts


def scribbles_of(mask: Bool[np.ndarray, "h w"]) -> list[Bool[np.ndarray, "h w"]]:
    """Return the scribbles of one class, its connected pixels, corners included."""
    numbers = connected(mask, corners=True)
    return [numbers == k for k in range(1, int(numbers.max(initial=0)) + 1)]


def of_tags(classes: Sequence[int]) -> list[Prompt]:
    """Return a prompt for every tag that says nothing of a place, for sources that need none."""
    return [Prompt(int(c), "tag") for c in classes]


def of_cams(
    cam: Float[np.ndarray, "k h w"], classes: Sequence[int], wanted: Sequence[int], parts: int, level: float
) -> list[Prompt]:
    """Return prompts of tags: of every class the strongest connected parts of its CAM, each by its peak and its box.

    The peaks of other classes are outside, unless they lie in the box of the part, where the other object may cover this one: there a
    peak of a weaker CAM says nothing.

    Args:
        cam: in [0, 1].  classes: of the rows.  wanted: classes that prompts are made of.  parts: most parts of a class.
        level: share of a class's largest value that its confident part exceeds.
    """
    found = {int(c): _parts(row, parts, level) for row, c in zip(cam, classes, strict=True)}
    prompts = []
    for c in (c for c in wanted if c in found):
        others = [peak for other, known in found.items() if other != c for peak, _ in known]
        for peak, (x0, y0, x1, y1) in found[c]:
            away = [(x, y) for x, y in others if not (x0 <= x < x1 and y0 <= y < y1)]
            points = np.array([peak], int), np.array(away, int).reshape(-1, 2)
            prompts.append(Prompt(c, "tag", (x0, y0, x1, y1), *points))
    return prompts


def _parts(
    row: Float[np.ndarray, "h w"], parts: int, level: float
) -> list[tuple[tuple[int, int], tuple[int, int, int, int]]]:
    """Return peak and box of the connected parts above a level, the one with the strongest peak first."""
    if row.max() <= 0:
        return []
    numbers = connected(row >= level * row.max())
    found = []
    for k in range(1, int(numbers.max()) + 1):
        part = numbers == k
        y, x = np.unravel_index(np.where(part, row, -1).argmax(), row.shape)
        found.append(((int(x), int(y)), bounds(part)))
    return sorted(found, key=lambda one: -row[one[0][1], one[0][0]])[:parts]


def _along(scribble: Bool[np.ndarray, "h w"], count: int) -> Int[np.ndarray, "p 2"]:
    """Return at most `count` points x, y that are spread over a scribble's skeleton."""
    from skimage.morphology import skeletonize  # half a second, which boxes need not wait

    skeleton = skeletonize(scribble)
    y, x = np.nonzero(skeleton if skeleton.any() else scribble)
    return _spread(np.stack([x, y], axis=1), count)


def _spread(points: Int[np.ndarray, "n 2"], count: int) -> Int[np.ndarray, "p 2"]:
    """Return at most `count` of the points, each the farthest from those before it, the first one first."""
    if len(points) <= count:
        return points
    chosen = [0]
    nearest = ((points - points[0]) ** 2).sum(axis=1)
    while len(chosen) < count:
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    return points[chosen]
