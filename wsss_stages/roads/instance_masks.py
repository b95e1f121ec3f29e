"""One mask per object of the training images, as COCO's instances JSON: true ones, or a label map inside boxes (Sec. 3.4)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Int, UInt8

from wsss_stages.a2gnn.instances import Overlap, box_masks, filled
from wsss_stages.config.options import InstanceMasks
from wsss_stages.data import instances
from wsss_stages.data.index import Index, Record
from wsss_stages.data.notes import Notes
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import contracts
from wsss_stages.store.progress import progress

WITHOUT, WHOLE = "images without objects", "boxes taken whole"
"""Notes that are always written, and so are those that count nothing."""


def usable(records: Sequence[Record], labels: str, where: Path) -> list[Record]:
    """Return the images whose objects can be learned: truth wants true instances, other labels boxes. Raises ValueError without any.

    Args:
        where: index.json, for the error.
    """
    found = [r for r in records if (r.truth and r.instances if labels == "truth" else r.boxes)]
    if not found:
        wanted = "true instances (SegmentationObject)" if labels == "truth" else "boxes"
        raise ValueError(
            f"{where}: no training image has {wanted}, so there are no instances to learn; "
            "use a dataset with them, and for pseudo labels weak: box or mixed"
        )
    return found


class InstanceMasker:
    """The objects of images; images are numbered from 1."""

    def __init__(self, index: Index, records: Sequence[Record], pseudo: Manifest, opt: InstanceMasks):
        """
        Args:
            records: `usable`.
            pseudo: manifests of the label maps, none for truth.
        """
        self.index, self.records, self.pseudo, self.opt = index, records, pseudo, opt
        self.contract = contracts.ALL["grabcut" if opt.labels == "grabcut" else "pseudo"]
        self.objects = instances.frame(index, records)
        self.notes = Notes()

    def run(self, every: Sequence[Record]) -> dict[str, Any]:
        """Return instances.json. `every`: all training images; those that are not usable are counted."""
        used = {record.id for record in self.records}
        lacking = instances.UNNUMBERED if self.opt.labels == "truth" else WITHOUT
        self.notes.add_each(lacking, (record.id for record in every if record.id not in used))
        for number, record in enumerate(progress(self.records, "s6_instance_masks"), 1):
            self.add(number, record)
        notes = dict.fromkeys((WITHOUT, WHOLE), 0) | self.notes.counts
        self.objects["info"] |= {"options": self.opt.model_dump(), "notes": notes}
        return self.objects

    def add(self, number: int, record: Record) -> None:
        """Add the objects of an image."""
        if self.opt.labels == "truth":
            instances.add_truth(self.objects, number, record, self.index)
            return
        boxes, (_, classes) = record.full_boxes(), record.box_arrays()
        label = self.pseudo.read(record.id, self.contract)["label"]
        label = cv2.resize(label, (record.full_width, record.full_height), interpolation=cv2.INTER_NEAREST)
        masks, whole = masks_in_boxes(label, boxes, classes, self.opt.overlap)
        self.notes.add(WHOLE, whole, record.id)
        instances.add(self.objects, number, masks, boxes, classes)


def masks_in_boxes(
    label: UInt8[np.ndarray, "H W"], boxes: Int[np.ndarray, "k 4"], classes: UInt8[np.ndarray, " k"], overlap: Overlap
) -> tuple[Bool[np.ndarray, "k H W"], int]:
    """Return the mask of every box, and of how many boxes it is the whole box, for want of a pixel of their class.

    Args:
        boxes: x0 y0 x1 y1, pixels, half open.  overlap: of `a2gnn.instances.box_masks`.
    """
    masks = box_masks(label, boxes, classes, overlap)
    empty = ~masks.any(axis=(1, 2))
    masks[empty] = filled(boxes[empty], *label.shape)
    return masks, int(empty.sum())
