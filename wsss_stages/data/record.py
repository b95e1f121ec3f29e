"""One image: where its files lie, its weak labels and its truth if any."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from wsss_stages.data.images import read_labels, read_photo
from wsss_stages.store import artifacts


@dataclass
class Record:
    """One image. Boxes: x0 y0 x1 y1 in pixels, 0-based, half open, x right, y down; classes 1..N.

    Stages work at `height` x `width`, to which boxes and points belong; the photograph and its masks are `full_height` x
    `full_width`.
    """

    id: str
    photo: str
    sha256: str
    full_height: int
    full_width: int
    height: int
    width: int
    boxes: list[list[int]] = field(default_factory=list)
    box_classes: list[int] = field(default_factory=list)
    tags: list[int] = field(default_factory=list)
    points: list[list[int]] = field(default_factory=list)
    """x, y, class; 0 is a background click."""
    scribbles: str | None = None
    """PNG of classes or XML of lines, below the dataset's folder or with its whole path."""
    scribbles_sha256: str = ""
    scribble_classes: list[int] = field(default_factory=list)
    """0 is background."""
    saliency: str | None = None
    """8-bit grey PNG, an extra beside tags; paths as of scribbles."""
    saliency_sha256: str = ""
    kinds: list[str] = field(default_factory=list)
    """Kinds of labels to learn from: box, scribble, point, tag, truth; tags may also follow from the others."""
    truth: str | None = None
    truth_sha256: str = ""
    """sha256 of a mask that may be learned from, `corrected` or truth; empty: there is none, and truth is for scores only."""
    corrected: str | None = None
    """Whole path of a PNG of classes that a person has painted or accepted, at full size; labels are made from it, scores are not."""
    instances: str | None = None
    masks_sha256: str = ""
    """sha256 of the files of truth and instances; before the evaluation only stages that learn from truth depend on it."""

    def image(self, root: Path) -> np.ndarray:
        """Return (height, width, 3) uint8 RGB, upright. Raises ContractError if the photograph is not the one indexed."""
        image = read_photo(root / self.photo)
        if image.shape[:2] != (self.full_height, self.full_width):
            raise artifacts.ContractError(
                f"{root / self.photo} is {image.shape[1]}x{image.shape[0]}, but the index says "
                f"{self.full_width}x{self.full_height}. The dataset changed: snakemake --forcerun data"
            )
        if (self.height, self.width) == (self.full_height, self.full_width):
            return image
        return cv2.resize(image, (self.width, self.height), interpolation=cv2.INTER_AREA)

    def reduced(self, max_side: int) -> "Record":
        """Return the record with a working size whose longer side is at most `max_side`; boxes keep every pixel that
        they touch.
        """
        h, w = self.full_height, self.full_width
        longer = max(h, w)
        if longer <= max_side:
            return self
        height, width = (max(1, round(n * max_side / longer)) for n in (h, w))
        return replace(self, height=height, width=width).with_full(self.boxes, self.points)

    def with_full(self, boxes: list[list[int]], points: list[list[int]]) -> "Record":
        """Return the record with boxes and points that are given in pixels of the photograph."""
        (h, w), (height, width) = (self.full_height, self.full_width), (self.height, self.width)
        at_work = [[x * width // w, y * height // h, cls] for x, y, cls in points]
        return replace(self, boxes=_scaled(boxes, (h, w), (height, width)), points=at_work)

    def with_weak(self, weak: str) -> "Record":
        """Return the record with this kind of label, tags and a corrected mask only; `mixed` keeps all. Saliency goes with tags."""
        if weak == "mixed":
            return self
        drop = {
            "truth": {} if self.corrected else {"truth_sha256": ""},
            "box": {"boxes": [], "box_classes": []},
            "scribble": {"scribbles": None, "scribbles_sha256": "", "scribble_classes": []},
            "point": {"points": []},
            "tag": {"saliency": None, "saliency_sha256": ""},
        }
        others = {key: value for kind, fields in drop.items() if kind != weak for key, value in fields.items()}
        return replace(self, kinds=[kind for kind in self.kinds if kind == weak], **others)

    @property
    def all_boxed(self) -> bool:
        """Return whether boxes show every object of the image, so that all outside them is background."""
        return "box" in self.kinds and set(self.tags) <= set(self.box_classes)

    def box_arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Return boxes (k, 4) int and their classes (k,) uint8."""
        return np.array(self.boxes, int).reshape(-1, 4), np.array(self.box_classes, np.uint8)

    def full_boxes(self) -> np.ndarray:
        """Return boxes (k, 4) int at full size, with every pixel that those at working size touch."""
        size, full = (self.height, self.width), (self.full_height, self.full_width)
        return np.array(_scaled(self.boxes, size, full), int).reshape(-1, 4)

    def truth_labels(self, root: Path) -> np.ndarray | None:
        """Return (full_height, full_width) uint8 true classes, 255 where annotators left them open; None without truth."""
        return read_labels(root / self.truth) if self.truth else None

    def known_truth(self, root: Path) -> np.ndarray:
        """Return `truth_labels` of an image that has them."""
        assert self.truth, f"{self.id} has no truth"
        return read_labels(root / self.truth)

    def learned_mask(self, root: Path) -> np.ndarray:
        """Return (full_height, full_width) uint8 classes, 255 open, of the mask that may be learned from.

        Raises ContractError if a corrected mask is not the one indexed.
        """
        if self.corrected is None:
            return self.known_truth(root)
        if artifacts.sha256(Path(self.corrected)) != self.truth_sha256:
            raise artifacts.ContractError(
                f"{self.corrected} has changed since the index was made (sha256 differs). Import the correction again, then "
                "snakemake --forcerun data"
            )
        return read_labels(Path(self.corrected))

    def evidence(self) -> list:
        """Return all that stages before the evaluation may depend on; truth is not in it."""
        return [
            self.sha256,
            self.height,
            self.width,
            self.boxes,
            self.box_classes,
            self.tags,
            self.points,
            self.scribbles_sha256,
            self.truth_sha256,
            self.saliency_sha256,
        ]


def _scaled(boxes: list[list[int]], size: tuple[int, int], to: tuple[int, int]) -> list[list[int]]:
    """Return boxes of an image of one size (height, width) at another."""
    (h, w), (height, width) = size, to
    return [[x0 * width // w, y0 * height // h, -(-x1 * width // w), -(-y1 * height // h)] for x0, y0, x1, y1 in boxes]
