"""Training of Mask R-CNN on instances of pseudo labels and boxes, or of truth (Sec. 3.4)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from wsss_stages import training
from wsss_stages.a2gnn.instances import bounds, filled
from wsss_stages.config.options import Instances
from wsss_stages.data import instances, rle
from wsss_stages.data.augment import augment
from wsss_stages.data.index import Index
from wsss_stages.data.record import Record
from wsss_stages.evaluation.average_precision import MOST, average_precision
from wsss_stages.nets.mask_rcnn import Detector
from wsss_stages.roads.training_stage import TrainingStage
from wsss_stages.store import artifacts

MIN_SCORE = 0.05
"""Least score of a graded detection."""
SMALLEST = 2
"""Pixels of a box's shorter side in a training view: less shows nothing to learn from."""
Item = tuple[Record, instances.Objects]
"""A photograph and the objects in it."""


def items_of(index: Index, path: Path) -> list[Item]:
    """Return the training images with objects. Raises TrainingError, with the path of instances.json, where there is none."""
    objects = instances.by_photo(artifacts.read_sealed(path), index, str(path))
    items = [(r, objects[r.photo]) for r in index.split("train") if r.photo in objects and objects[r.photo].codes]
    if not items:
        raise training.TrainingError(f"{path} has no object in any training image of the index")
    return items


class InstancesTraining(TrainingStage):
    """The work of s7_instances."""

    stage = "s7_instances"
    network: Detector
    opt: Instances

    def __init__(
        self, network: Detector, sources: dict[str, Any], index: Index, items: list[Item], path: Path, opt: Instances
    ):
        """
        Args:
            sources: name of the backbone and origin of its weights.
            items: of `items_of` the path of instances.json.
        """
        self.network, self.sources, self.opt, self.path = network, sources, opt, path
        self.root, self.items, self.classes = index.root, items, len(index.classes)

    def sample(self, item: Item, rng) -> dict[str, np.ndarray]:
        (record, objects), opt = item, self.opt
        masks = objects.masks()
        layers = np.concatenate([masks, filled(np.array(objects.boxes), *masks.shape[1:])]).astype(np.uint8)
        view, moved, _ = augment(record.image(self.root), layers, rng, opt.crop, opt.scale_min, opt.scale_max, fit=True)
        masks, boxed = np.split(moved == 1, 2)
        boxes = bounds(boxed)
        seen = masks.any(axis=(1, 2)) & ((boxes[:, 2:] - boxes[:, :2]).min(axis=1) >= SMALLEST)
        return {
            "image": view.transpose(2, 0, 1),
            "boxes": boxes[seen].astype(np.float32),
            "classes": np.array(objects.classes)[seen],
            "masks": masks[seen].astype(np.uint8),
        }

    def loss(self, batch: dict) -> dict[str, Tensor]:
        return self.network.losses(batch["image"], batch["boxes"], batch["classes"], batch["masks"])

    def grade(self, batches: Iterator[dict]) -> float:
        """Return the average precision at an IoU of 0.5 (COCO's) on the instances that the detector would learn from."""
        known: dict = {"images": [], "categories": [{"id": c} for c in range(1, self.classes)], "annotations": []}
        results: list[dict] = []
        for batch in batches:
            parts = (batch[name] for name in ("image", "boxes", "classes", "masks"))
            for image, boxes, numbers, masks in zip(*parts, strict=True):
                image_id = len(known["images"]) + 1
                known["images"].append({"id": image_id, "height": self.opt.crop, "width": self.opt.crop})
                instances.add(known, image_id, masks.cpu().numpy(), boxes.cpu().numpy(), numbers.cpu().numpy())
                results += self.results(image, image_id)
        means, _ = average_precision(known, {}, results)
        return means["ap_50"] or 0.0

    def results(self, image: Tensor, image_id: int) -> list[dict]:
        """Return the detections of an image as COCO's results have them."""
        found = self.network.detect(image, self.opt.crop, self.opt.crop, MIN_SCORE, MOST)
        codes, areas = rle.encode(found.masks.cpu().numpy()), found.masks.sum(dim=(1, 2)).tolist()
        each = zip(found.scores.tolist(), found.classes.tolist(), codes, areas, strict=True)
        return [
            {
                "image_id": image_id,
                "category_id": cls,
                "score": score,
                "segmentation": code,
                "area": area,
                "in_void": 0.0,
            }
            for score, cls, code, area in each
        ]

    def origin(self) -> dict[str, Any]:
        return {"backbone": self.sources["backbone"], "classes": self.classes, "origin": self.sources["origin"]}

    def evidence(self) -> list[Any]:
        return [artifacts.sha256(self.path), [record.sha256 for record, _ in self.items]]

    def item_id(self, item: Item) -> str:
        return item[0].id

    def image_id(self, item: Item) -> str:
        return item[0].id
