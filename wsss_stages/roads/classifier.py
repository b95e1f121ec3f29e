"""Training of the classifier on image tags (Sec. 3.2; SEAM)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from wsss_stages.config.options import Classifier
from wsss_stages.data.augment import augment
from wsss_stages.data.index import Index
from wsss_stages.data.record import Record
from wsss_stages.data.selection import Selection
from wsss_stages.evaluation import metrics
from wsss_stages.nets import backbones
from wsss_stages.nets.classifier import CamClassifier, SeamClassifier
from wsss_stages.nets.seam import seam_losses
from wsss_stages.roads.training_stage import TrainingStage
from wsss_stages.store import artifacts


class ClassifierTraining(TrainingStage):
    """The work of s1_classifier."""

    stage = "s1_classifier"
    network: CamClassifier | SeamClassifier
    opt: Classifier

    def __init__(
        self,
        network: CamClassifier | SeamClassifier,
        sources: dict[str, Any],
        index: Index,
        records: Selection,
        opt: Classifier,
    ):
        """
        Args:
            sources: origin of the backbone's weights.
            records: the training images with tags.
        """
        self.network, self.sources, self.opt = network, sources, opt
        self.root, self.items, self.classes = index.root, records, len(index.classes) - 1

    def sample(self, item: Record, rng) -> dict[str, np.ndarray]:
        opt = self.opt
        view, _, valid = augment(item.image(self.root), None, rng, opt.crop, opt.scale_min, opt.scale_max, fit=True)
        tags = np.zeros(self.classes, np.float32)
        tags[np.array(item.tags) - 1] = 1
        return {"image": view.transpose(2, 0, 1), "valid": valid, "tags": tags}

    def loss(self, batch: dict) -> dict[str, Tensor]:
        image = backbones.normalise(batch["image"])
        if isinstance(self.network, SeamClassifier):
            return seam_losses(self.network, image, batch["valid"], batch["tags"], self.opt.seam_scale)
        return {
            "classification": F.multilabel_soft_margin_loss(self.network.tags(image, batch["valid"]), batch["tags"])
        }

    def grade(self, batches: Iterator[dict]) -> float:
        """Return the mean average precision of the tags."""
        found = [
            (self.network.tags(backbones.normalise(b["image"]), b["valid"]).cpu(), b["tags"].cpu()) for b in batches
        ]
        scores, tags = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        return metrics.mean_average_precision(scores, tags) or 0.0

    def origin(self) -> dict[str, Any]:
        return {"classes": self.classes, "origin": self.sources}

    def evidence(self) -> list[Any]:
        return [artifacts.fingerprint_each((r.sha256, r.height, r.width, r.tags) for r in self.items)]
