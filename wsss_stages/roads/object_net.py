"""Training of the object network, crop of a box to the box's object, on the mask source's masks (ours)."""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import torch.nn.functional as F
from torch import Tensor, nn

from wsss_stages import training
from wsss_stages.a2gnn.object_masks import target
from wsss_stages.config.options import ObjectNet
from wsss_stages.data.augment import colour
from wsss_stages.data.index import Index
from wsss_stages.data.record import Record
from wsss_stages.data.selection import Selection
from wsss_stages.labels.box_crops import box_in, cut, window
from wsss_stages.labels.boxes import SMALLEST_BOX
from wsss_stages.labels.prompt_masks import StoredMasks
from wsss_stages.nets import backbones
from wsss_stages.nets.object_losses import colour_loss, line_loss, mask_loss
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
        masks: Manifest,
        opt: ObjectNet,
    ):
        """
        Args:
            sources: as of AffinityTraining.
            crops: of `crops_of`.
            masks: all of the training split.
        """
        self.network, self.sources, self.opt = network, sources, opt
        self.index, self.items, self.masks = index, crops, masks

    def sample(self, item: Crop, rng) -> dict[str, np.ndarray]:
        (record, number), opt, half = item, self.opt, self.opt.crop // 2
        boxes, classes = record.box_arrays()
        stored, k = StoredMasks(self.masks.read(record.id, contracts.MASKS), record.width), len(boxes)
        known = target(number, stored.hard[:k], stored.substituted[:k], boxes, classes)
        middle = np.full(4, (opt.margin_min + opt.margin_max) / 2)
        view = window(boxes[number], middle if rng is None else rng.uniform(opt.margin_min, opt.margin_max, 4))
        pixels = cut(record.image(self.index.root), view, opt.crop, GREY)
        image = pixels.astype(np.float32) / 255
        arrays = {
            "image": (image if rng is None else colour(image, rng, 0.3)).transpose(2, 0, 1),
            "colours": lab(pixels, half).transpose(2, 0, 1),
            "inside": box_in(boxes[number], view, opt.crop),
            "target": cut(known, view, half, 0, nearest=True),
            "target_inside": box_in(boxes[number], view, half),
        }
        mirrored = rng is not None and rng.random() < 0.5
        turned = {name: a[..., ::-1] if mirrored else a for name, a in arrays.items()}
        dtypes = dict.fromkeys(arrays, np.float32) | {"target": np.uint8}
        return {name: np.ascontiguousarray(a, dtype=dtypes[name]) for name, a in turned.items()}

    def loss(self, batch: dict) -> dict[str, Tensor]:
        opt, inside = self.opt, batch["target_inside"]
        logits = self.logits(batch)
        colour_weight = opt.colour_weight * training.ramp(batch["done"], 0.0, opt.colour_ramp)
        made = {"cross_entropy": mask_loss(logits, batch["target"], inside, opt.outside_weight)}
        if opt.line_weight:
            made["lines"] = opt.line_weight * line_loss(logits, inside)
        if colour_weight:
            made["colours"] = colour_weight * colour_loss(logits, batch["colours"], inside, opt.nearest_colour)
        return made

    def logits(self, batch: dict) -> Tensor:
        """Return (b, h, w) logits of the objects at the pixels of the targets."""
        found = self.network(backbones.normalise(batch["image"]), batch["inside"]).float()
        size = batch["target"].shape[1:]
        return F.interpolate(found.unsqueeze(1), size, mode="bilinear", align_corners=False).squeeze(1)

    def grade(self, batches: Iterator[dict]) -> float:
        """Return exp(-loss) of the held-out boxes, with all losses at their last weights."""
        found = [sum(float(term) for term in self.loss(batch | {"done": 1.0}).values()) for batch in batches]
        return float(np.exp(-np.mean(found)))

    def origin(self) -> dict[str, Any]:
        return self.sources

    def evidence(self) -> list[Any]:
        name = contracts.MASKS.name
        known = ((r.evidence(), self.masks.sha256(r.id, name)) for r in self.index.split("train"))
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


def lab(pixels: np.ndarray, side: int) -> np.ndarray:
    """Return (side, side, 3) float32 CIE L*a*b* of (h, w, 3) uint8 RGB."""
    small = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return cv2.cvtColor(small, cv2.COLOR_RGB2LAB)
