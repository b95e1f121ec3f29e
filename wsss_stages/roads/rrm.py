"""Training of RRM on image tags: classification and segmentation branch on one backbone (Secs. 2.2-2.3)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import Tensor

from wsss_stages import training
from wsss_stages.config.options import Rrm
from wsss_stages.data.augment import augment
from wsss_stages.data.index import Index
from wsss_stages.data.record import Record
from wsss_stages.evaluation import metrics
from wsss_stages.labels.levels import SHARES
from wsss_stages.nets import backbones
from wsss_stages.nets.classifier import mean_inside
from wsss_stages.roads.named_classes import about_classes
from wsss_stages.roads.training_stage import TrainingStage
from wsss_stages.rrm.iteration import Settings, classification_loss, losses
from wsss_stages.rrm.net import RrmNet
from wsss_stages.store import artifacts


class RrmTraining(TrainingStage):
    """The work of rrm_train."""

    stage = "rrm_train"
    network: RrmNet
    opt: Rrm

    def __init__(self, network: RrmNet, sources: dict[str, Any], index: Index, records, opt: Rrm):
        """
        Args:
            sources: origin of the initial weights.
            records: the training images with tags.
        """
        self.network, self.sources, self.opt = network, sources, opt
        self.root, self.items, self.classes = index.root, records, len(index.classes)
        self.names = index.classes
        self.settings = opt.fill(Settings)
        self.joint = opt.class_epochs / opt.epochs
        """Share of the training after which both branches learn."""

    def sample(self, item: Record, rng) -> dict[str, np.ndarray]:
        opt = self.opt
        view, _, valid = augment(item.image(self.root), None, rng, opt.crop, opt.scale_min, opt.scale_max, fit=True)
        tags = np.zeros(self.classes - 1, np.float32)
        tags[np.array(item.tags) - 1] = 1
        return {"image": view.transpose(2, 0, 1), "valid": valid, "tags": tags}

    def loss(self, batch: dict) -> dict[str, Tensor | float]:
        if batch["epoch"] < self.opt.class_epochs:  # the branches begin with the epoch after them
            activation = self.network.activation(backbones.normalise(batch["image"]))
            logits = mean_inside(activation, batch["valid"])
            return {"classification": classification_loss(logits, batch["tags"])}
        ramp = training.ramp(batch["done"], self.joint, self.joint + self.opt.distance_ramp * (1 - self.joint))
        parts = batch["image"], batch["valid"], batch["tags"]
        return losses(self.network, *parts, self.settings, batch["id"], ramp)

    def grade(self, batches: Iterator[dict]) -> float:
        """Return the mean average precision of the tags by the mean probability of the segmentation branch."""
        found = []
        for batch in batches:
            P = self.network(backbones.normalise(batch["image"])).float().softmax(dim=1)
            found.append((mean_inside(P, batch["valid"])[:, 1:].cpu(), batch["tags"].cpu()))
        scores, tags = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        return metrics.mean_average_precision(scores, tags) or 0.0

    def origin(self) -> dict[str, Any]:
        return {"classes": self.classes, **self.sources}

    def about(self) -> dict[str, Any]:
        return about_classes(self.names, self.items)

    def evidence(self) -> list[Any]:
        return [artifacts.fingerprint_each(r.evidence() for r in self.items)]

    def groups(self) -> list[training.Layers]:
        backbone, _ = training.old_and_new(self.network, self.opt)
        tag = training.Layers(list(self.network.tag.parameters()), self.opt.head_lr_factor)
        return [
            backbone,
            tag,
            training.Layers(list(self.network.branches.parameters()), self.opt.head_lr_factor, self.joint),
        ]

    def details(self, items) -> dict[str, Any]:
        return {"graded_from": self.joint, "shown": SHARES}
