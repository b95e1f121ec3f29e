"""Repair of label maps so that no box loses its object: the least share that a box must show, and the few pixels to reach it.

Probabilities are raised in boxes (a2gnn.tight_boxes), but a box within another of a large, sure object, or one that the
CRF smooths away, may still end without a pixel. Every box is certain to hold an object, so a label map without one is
corrected.
"""

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from wsss_stages.labels.boxes import inside, smallest_first


def keep_objects(
    label: UInt8[np.ndarray, "h w"],
    confidence: Float[np.ndarray, "h w"],
    own: list[Float[np.ndarray, "_ _"]],
    boxes: Int[np.ndarray, "k 4"],
    classes: UInt8[np.ndarray, " k"],
    share: float,
    lines: float,
) -> tuple[UInt8[np.ndarray, "h w"], Float[np.ndarray, "h w"]]:
    """Return label and confidence where every box has its class in `share` of its pixels and in `lines` of its rows and columns.

    Pixels change where the probability of the box's class is largest over that of the label there, the nearest to the box's middle
    among equal ones. First every box, the smaller before the larger, takes what its share lacks, then what its rows and columns lack;
    of its pixels it holds the most probable ones that it needs against boxes after it. Where that leaves a box short, overlapping
    classes take turns along the diagonals: each takes what it lacks of its own pixels, which no other takes again. So in boxes with n
    classes over each other each keeps up to 1 / n of the pixels, if there are so many.

    Args:
        confidence: probability of the label.  own: probability of each box's class at the box's pixels.
        boxes: x0 y0 x1 y1, pixels, half open, inside the image. Their order does not matter: smallest first, then by class and place.
        share, lines: in [0, 1]; with `share` 0 nothing changes, with `lines` 0 rows and columns are not checked.
    """
    label, confidence = label.copy(), confidence.copy()
    views = [
        _Box(label, confidence, own[number], boxes[number], int(classes[number]), share, lines)
        for number in smallest_first(boxes, classes)
    ]
    if share == 0 or all(view.complete for view in views):
        return label, confidence
    held = np.zeros(label.shape, bool)
    for take in (_Box.fill, _Box.touch):
        for view in views:
            take(view, ~held[view.window])
            held[view.window] |= view.needed()
    turns = _turns(label.shape, boxes, classes)
    for view in reversed(views):
        if not (turns[view.window] == view.cls).any():  # a few pixels under another box
            turns[view.window] = view.cls
    short = [view for view in views if not view.complete]
    while any([view.take(turns[view.window] == view.cls) for view in short]):
        short = [view for view in views if not view.complete]
    return label, confidence


def without_object(
    label: UInt8[np.ndarray, "h w"], boxes: Int[np.ndarray, "k 4"], classes: UInt8[np.ndarray, " k"]
) -> int:
    """Return how many boxes have not one pixel of their class."""
    found = [(label[y0:y1, x0:x1] == c).any() for (x0, y0, x1, y1), c in zip(boxes, classes, strict=True)]
    return len(found) - int(sum(found))


class _Box:
    """A box's part of label and confidence, as views, and the pixels that it requires."""

    def __init__(self, label, confidence, own, box, cls: int, share: float, lines: float):
        x0, y0, x1, y1 = box
        self.window = slice(y0, y1), slice(x0, x1)
        self.label, self.confidence, self.own, self.cls = label[self.window], confidence[self.window], own, cls
        self.pixels, self.lines = _part(share, own.size), _part(lines, sum(own.shape))

    @property
    def mine(self) -> Bool[np.ndarray, "y x"]:
        return self.label == self.cls

    @property
    def complete(self) -> bool:
        return self._lacks() <= 0 and self._untouched() <= 0

    def fill(self, free: Bool[np.ndarray, "y x"]) -> int:
        """Take as many free pixels as the share lacks, and return their number."""
        lacks = self._lacks()
        return self._change(_best(self._claim(free), lacks)) if lacks > 0 else 0

    def touch(self, free: Bool[np.ndarray, "y x"]) -> int:
        """Take a free pixel in as many empty rows and columns as lack one, and return how many."""
        lacks = self._untouched()
        if lacks <= 0:
            return 0
        claim, (height, width) = self._claim(free), self.own.shape
        of_rows = np.arange(height) * width + claim.argmax(axis=1)
        of_columns = claim.argmax(axis=0) * width + np.arange(width)
        empty = np.concatenate([~self.mine.any(axis=1), ~self.mine.any(axis=0)])
        places = np.concatenate([of_rows, of_columns])[empty]
        places = places[np.argsort(-claim.flat[places], kind="stable")[:lacks]]
        return self._change(places[claim.flat[places] >= 0])

    def take(self, free: Bool[np.ndarray, "y x"]) -> int:
        """Do both."""
        return self.fill(free) + self.touch(free)

    def needed(self) -> Bool[np.ndarray, "y x"]:
        """Return the most probable pixels of the box's own: as many as its share asks for, and one in every row and
        column.
        """
        probable = np.where(self.mine, self.own, -1)
        needed = np.zeros(self.own.shape, bool)
        needed.flat[_best(probable, self.pixels)] = True
        if self.lines:
            rows, columns = np.flatnonzero(self.mine.any(axis=1)), np.flatnonzero(self.mine.any(axis=0))
            needed[rows, probable.argmax(axis=1)[rows]] = True
            needed[probable.argmax(axis=0)[columns], columns] = True
        return needed

    def _lacks(self) -> int:
        return self.pixels - int(self.mine.sum())

    def _untouched(self) -> int:
        return self.lines - int(self.mine.any(axis=0).sum() + self.mine.any(axis=1).sum())

    def _claim(self, free: Bool[np.ndarray, "y x"]) -> Float[np.ndarray, "y x"]:
        """Return the probability of the box's class over the label's, -1 for pixels that are the box's already or
        not free.
        """
        return np.where(free & ~self.mine, self.own / np.maximum(self.confidence, 1e-12), -1)

    def _change(self, places: Int[np.ndarray, " n"]) -> int:
        self.label.flat[places] = self.cls
        self.confidence.flat[places] = self.own.flat[places]
        return len(places)


def _best(score: Float[np.ndarray, "y x"], count: int) -> Int[np.ndarray, " n"]:
    """Return the places of the `count` largest scores from 0 on, the nearest to the middle first among equal ones."""
    (y, x), (height, width) = np.indices(score.shape), score.shape
    distance = np.hypot(y - (height - 1) / 2, x - (width - 1) / 2)
    places = np.lexsort((distance.ravel(), -score.ravel()))[:count]
    return places[score.flat[places] >= 0]


def _turns(shape: tuple[int, int], boxes: np.ndarray, classes: np.ndarray) -> UInt8[np.ndarray, "h w"]:
    """Return the class whose turn each pixel is, among the classes with a box there; turns alternate along every row
    and column.
    """
    present = np.unique(classes)
    covers = np.stack([inside(boxes[classes == c], *shape) for c in present])
    y, x = np.indices(shape)
    turn = (y + x) % np.maximum(covers.sum(axis=0), 1)
    return present[(covers & (covers.cumsum(axis=0) - 1 == turn)).argmax(axis=0)]


def _part(share: float, count: int) -> int:
    return int(np.ceil(share * count - 1e-9))  # 0.1 * 30 is above 3
