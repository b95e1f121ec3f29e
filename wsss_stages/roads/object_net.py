"""Training of the object network, crop of a box to the box's object, on GrabCut's masks (ours)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from wsss_stages import training
from wsss_stages.a2gnn.object_masks import target, unpack_bits
from wsss_stages.config.options import ObjectNet
from wsss_stages.data.augment import colour
from wsss_stages.data.index import Index
from wsss_stages.data.record import Record
from wsss_stages.data.selection import Selection
from wsss_stages.labels.box_crops import box_in, cut, window
from wsss_stages.labels.boxes import SMALLEST_BOX
from wsss_stages.nets import backbones
from wsss_stages.nets.object_net import object_iou, object_loss
from wsss_stages.roads.object_masks import GREY
from wsss_stages.roads.training_stage import TrainingStage
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import artifacts, contracts

Crop = tuple[Record, int]
"""An image and the number of one of its boxes."""


def crops_of(index: Index) -> Selection:
    """Return the boxes of the training images that are large enough to learn from, made when they are asked for."""
    records = index.split("train")
    places = (
        (at, number)
        for at, record in enumerate(records)
        for number, (x0, y0, x1, y1) in enumerate(record.boxes)
        if min(x1 - x0, y1 - y0) >= SMALLEST_BOX
    )
    return Selection(lambda place: (records[int(place[0])], int(place[1])), np.fromiter(places, np.dtype((int, 2))))


class ObjectNetTraining(TrainingStage):
    """The work of s4_object_net."""

    stage = "s4_object_net"

    def __init__(
        self,
        network: nn.Module,
        sources: dict[str, Any],
        index: Index,
        crops: Selection,
        seeds: Manifest,
        opt: ObjectNet,
    ):
        """
        Args:
            sources: as of AffinityTraining.
            crops: of `crops_of`.
            seeds: all of the training split.
        """
        self.network, self.sources, self.opt = network, sources, opt
        self.index, self.items, self.seeds = index, crops, seeds

    def sample(self, item: Crop, rng) -> dict[str, np.ndarray]:
        (record, number), opt, half = item, self.opt, self.opt.crop // 2
        boxes, classes = record.box_arrays()
        stored = self.seeds.read(record.id, contracts.GRABCUT_MASKS)
        known = target(number, unpack_bits(stored["packed"], record.width), stored["substituted"], boxes, classes)
        middle = np.full(4, (opt.margin_min + opt.margin_max) / 2)
        view = window(boxes[number], middle if rng is None else rng.uniform(opt.margin_min, opt.margin_max, 4))
        image = cut(record.image(self.index.root), view, opt.crop, GREY).astype(np.float32) / 255
        image = image if rng is None else colour(image, rng, 0.3)
        arrays = {
            "image": image.transpose(2, 0, 1),
            "inside": box_in(boxes[number], view, opt.crop),
            "target": cut(known, view, half, 0, nearest=True),
            "target_inside": box_in(boxes[number], view, half),
        }
        mirrored = rng is not None and rng.random() < 0.5
        turned = {name: a[..., ::-1] if mirrored else a for name, a in arrays.items()}
        dtypes = dict.fromkeys(arrays, np.float32) | {"target": np.uint8}
        return {name: np.ascontiguousarray(a, dtype=dtypes[name]) for name, a in turned.items()}

    def loss(self, batch: dict) -> dict[str, Tensor]:
        logits = self.network(backbones.normalise(batch["image"]), batch["inside"]).float()
        loss = object_loss(logits, batch["target"], batch["target_inside"], self.opt.outside_weight)
        return {"cross_entropy": loss}

    def grade(self, batches: Iterator[dict]) -> float:
        """Return the mean IoU of the boxes' objects with GrabCut's."""
        found = [
            object_iou(self.network(backbones.normalise(b["image"]), b["inside"]).float(), b["target"]) for b in batches
        ]
        return float(torch.cat(found).nanmean().nan_to_num())

    def origin(self) -> dict[str, Any]:
        return self.sources

    def evidence(self) -> list[Any]:
        name = contracts.GRABCUT_MASKS.name
        known = ((r.evidence(), self.seeds.sha256(r.id, name)) for r in self.index.split("train"))
        return [artifacts.fingerprint_each(known)]

    def item_id(self, item: Crop) -> str:
        return f"{item[0].id} box {item[1]}"

    def image_id(self, item: Crop) -> str:
        return item[0].id


def nothing_to_learn(path) -> training.TrainingError:
    """Return the error for a dataset without a box that is large enough."""
    return training.TrainingError(
        f"{path}: no training image has a box of at least {SMALLEST_BOX} pixels, so there is no object to learn. "
        "Variants `thesis` and `released` do not need this network."
    )
