"""Labels of a photograph of any size by a network: reduced to the size that it knows, in tiles where that is large."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float16, UInt8
from torch import Tensor

from wsss_stages.config.options import PredictPhotos
from wsss_stages.labels.enlarge import most_likely
from wsss_stages.labels.shrink import Shrunk
from wsss_stages.labels.tiles import Span, blended
from wsss_stages.roads.predictions import Predictor

LONGEST = 1024
"""Longest side of probabilities that are kept, pixels."""


class Labelled(NamedTuple):
    """The result for a photograph."""

    label: UInt8[np.ndarray, "h w"]
    """Classes at the photograph's own size."""
    P: Float16[np.ndarray, "c y x"] | None
    """Probabilities, the longer side at most LONGEST; None where they were not wanted."""


Labeller = Callable[[np.ndarray, str], Labelled]
"""Labels a photograph, (h, w, 3) uint8 RGB, named in errors."""


class PhotoLabeller:
    """A segmenter that labels photographs."""

    def __init__(self, predictor: Predictor, opt: PredictPhotos, probabilities: bool):
        self.predictor, self.opt, self.probabilities = predictor, opt, probabilities

    def __call__(self, photo: UInt8[np.ndarray, "h w 3"], name: str) -> Labelled:
        """Return the labels. Raises ValueError for numbers that are none, or where memory does not suffice for a tile."""
        seen = reduced(photo, self.opt.max_side)
        try:
            if max(seen.shape[:2]) <= self.opt.tile:
                P = self._refined(seen, name)
                return labelled(P, photo.shape[:2], self.probabilities)
            return self._in_tiles(seen, photo.shape[:2], name)
        except torch.OutOfMemoryError as error:
            raise ValueError(
                f"{name}: found too little memory on {self.predictor.device} for tiles of {self.opt.tile} pixels ({error}); wanted "
                "smaller ones. Give a smaller --tile, fewer --scales or --device cpu."
            ) from error

    def _in_tiles(self, seen: np.ndarray, size: tuple[int, int], name: str) -> Labelled:
        """Return labels of a photograph whose probabilities are never whole in memory; reduced ones are enlarged by the nearest pixel."""
        label = np.empty(seen.shape[:2], np.uint8)
        small = Shrunk(seen.shape[:2], LONGEST)

        def make(rows: Span, columns: Span) -> Tensor:
            tile = seen[rows[0] : rows[1], columns[0] : columns[1]]
            return self._refined(np.ascontiguousarray(tile), name)

        for row, column, P in blended(seen.shape[:2], self.opt.tile, self.opt.overlap, make):
            best = P.argmax(dim=0).to(torch.uint8).cpu().numpy()
            label[row : row + P.shape[1], column : column + P.shape[2]] = best
            if self.probabilities:
                small.add(row, column, P)
        if label.shape != size:
            label = cv2.resize(label, size[::-1], interpolation=cv2.INTER_NEAREST)
        return Labelled(label, None if small.map is None else half(small.map))

    def _refined(self, photo: np.ndarray, name: str) -> Float[Tensor, "c h w"]:
        return self.predictor.refined(self.predictor.probabilities(photo, name), photo, name)


def reduced(photo: UInt8[np.ndarray, "h w 3"], max_side: int) -> UInt8[np.ndarray, "y x 3"]:
    """Return a photograph whose longer side is at most `max_side`, as the index's working size has it; 0: as it is."""
    height, width = photo.shape[:2]
    longer = max(height, width)
    if not max_side or longer <= max_side:
        return photo
    size = (max(1, round(n * max_side / longer)) for n in (width, height))
    return cv2.resize(photo, tuple(size), interpolation=cv2.INTER_AREA)


def labelled(P: Float[Tensor, "c y x"], size: tuple[int, int], probabilities: bool) -> Labelled:
    """Return the most likely class of every pixel of a photograph of `size`, and the probabilities if they are wanted."""
    label = most_likely(P, *size)[0].cpu().numpy().astype(np.uint8)
    if not probabilities:
        return Labelled(label, None)
    small = Shrunk((P.shape[1], P.shape[2]), LONGEST)
    small.add(0, 0, P)
    assert small.map is not None
    return Labelled(label, half(small.map))


def half(P: Tensor) -> Float16[np.ndarray, "c y x"]:
    """Return probabilities as they are kept."""
    return P.half().cpu().numpy()
