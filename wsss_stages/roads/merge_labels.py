"""Probabilities of a graph network and of other sources to one pseudo label (Sec. 3.4; soft masks and tightness are ours)."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from wsss_stages.a2gnn import nodes, pixels
from wsss_stages.a2gnn.kept_boxes import keep_objects, without_object
from wsss_stages.a2gnn.tight_boxes import touch_all_sides
from wsss_stages.config.options import Propagate
from wsss_stages.data.record import Record
from wsss_stages.labels.boxes import allowed
from wsss_stages.labels.crf import CrfSettings, DenseCrf
from wsss_stages.labels.enlarge import in_window, most_likely
from wsss_stages.store.check_finite import finite

STAGE, MAKER = "s6_propagate", "s4_affinity"
"""Stages that errors name: the one that found NaN or infinity, and the one that made it."""


@dataclass(frozen=True)
class BoxedImage:
    """An image's size, classes and boxes. Rows of probabilities are `classes`, background first."""

    name: str
    size: tuple[int, int]
    """Height and width that are worked on, pixels."""
    full_size: tuple[int, int]
    """Height and width of the label."""
    classes: list[int]
    boxes: np.ndarray
    """(k, 4) x0 y0 x1 y1 at `size`, pixels, half open."""
    box_classes: np.ndarray
    """(k,) uint8, among `classes`."""
    full_boxes: np.ndarray
    """(k, 4) at `full_size`."""
    all_boxed: bool
    """Every object has a box, so that there is background outside them for certain."""

    @classmethod
    def from_record(cls, record: Record, classes: list[int]) -> "BoxedImage":
        """Return the facts of an image of the index."""
        return cls(
            record.id,
            (record.height, record.width),
            (record.full_height, record.full_width),
            classes,
            *record.box_arrays(),
            record.full_boxes(),
            record.all_boxed,
        )

    @property
    def box_rows(self) -> Tensor:
        """Return (k,) row of the class of every box."""
        return nodes.rows_of(self.box_classes, self.classes)


class LabelMerger:
    """Merge sources by the options of s6_propagate, refine by the CRF, and read off a label that contradicts no box."""

    def __init__(self, opt: Propagate, device: str):
        self.opt, self.device = opt, device

    def restricted(self, P: Float[Tensor, "c h w"], image: BoxedImage) -> Float[Tensor, "c h w"]:
        """Return P without classes outside their boxes, where `classes_in_boxes` says so and boxes show every object."""
        if not (self.opt.classes_in_boxes and image.all_boxed):
            return P
        known = allowed(image.boxes, image.box_classes, image.classes[1:], *image.size)
        return pixels.only_where_allowed(P, torch.from_numpy(known).to(self.device))

    def mixed(
        self,
        P: Float[Tensor, "c h w"],
        image: BoxedImage,
        grabcut: UInt8[np.ndarray, "h w"] | None = None,
        objects: Float[Tensor, "c h w"] | None = None,
        walk: Float[Tensor, "c h w"] | None = None,
    ) -> Float[Tensor, "c h w"]:
        """Return the sum of the sources by their shares, raised until every box's class touches the box's sides.

        Args:
            P: of the graph network.  grabcut: label M_B.  objects: of the soft masks of boxes.  walk: of the random walk. None: a
                source that is left out.

        Raises ValueError for NaN or infinity.
        """
        opt = self.opt
        if grabcut is not None:
            P = pixels.mix(P, nodes.rows_of(grabcut, image.classes).to(self.device), opt.grabcut_share)
        for other, share in ((objects, opt.objects_share), (walk, opt.walk_share)):
            if other is not None:
                P = (1 - share) * P + share * other.to(self.device)
        return finite(self._tight(P, image), "the class probabilities", STAGE, image.name, MAKER)

    def refined(self, P: Float[Tensor, "c h w"], photo: np.ndarray, image: BoxedImage) -> Float[Tensor, "c h w"]:
        """Return the probabilities after the CRF, again restricted to boxes and raised to their sides. `photo`: (h, w, 3) uint8 RGB."""
        crf = DenseCrf(photo, **self.opt.crf.fill(CrfSettings).kernels(), device=self.device)
        Q = crf.infer(P[None], self.opt.crf.iterations, image.name)[0]
        finite(Q, "the CRF's probabilities", STAGE, image.name, MAKER)
        return self._tight(self.restricted(Q, image), image)

    def label(
        self, Q: Float[Tensor, "c h w"], image: BoxedImage
    ) -> tuple[UInt8[np.ndarray, "H W"], Float[np.ndarray, "H W"], dict[str, int]]:
        """Return label and its probability in [0, 1] at full size, no box without its object, and how many boxes had none before."""
        row, confidence = most_likely(Q, *image.full_size)
        label = np.array(image.classes, np.uint8)[row.cpu().numpy()]
        confidence = confidence.clamp(0, 1).cpu().numpy()
        own = [
            in_window(Q[row], *image.full_size, box).clamp(0, 1).cpu().numpy()
            for row, box in zip(image.box_rows.tolist(), image.full_boxes.tolist(), strict=True)
        ]
        boxes = image.full_boxes, image.box_classes
        notes = {"boxes_without_object_before": without_object(label, *boxes)}
        label, confidence = keep_objects(label, confidence, own, *boxes, self.opt.keep_share, self.opt.tight_share)
        notes["boxes_without_object"] = without_object(label, *boxes)
        return label, confidence, notes

    def _tight(self, P: Tensor, image: BoxedImage) -> Tensor:
        return touch_all_sides(P, torch.from_numpy(image.boxes), image.box_rows, self.opt.tight_share)
