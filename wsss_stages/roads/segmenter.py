"""Training of the final segmenter on pseudo labels, other labels, or truth (Sec. 3.4; two-step RRM, Sec. 2.3.1)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from wsss_stages import training
from wsss_stages.config.options import Segment
from wsss_stages.data.augment import augment
from wsss_stages.data.index import Index
from wsss_stages.data.record import Record
from wsss_stages.evaluation import metrics
from wsss_stages.nets import backbones
from wsss_stages.nets.segmenter import Segmenter, agreement, scaled_logits, segmentation_loss
from wsss_stages.roads.named_classes import about_classes
from wsss_stages.roads.training_stage import TrainingStage
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import artifacts
from wsss_stages.store.contracts import Contract


class Labels:
    """The label maps that a segmenter learns from: of a manifest, or the true masks without a contract."""

    def __init__(self, index: Index, manifest: Manifest, contract: Contract | None, path: Path):
        """Check the labels.

        Raises TrainingError, with the `path` of the index, where no image has truth; and where an image lacks its label.
        """
        self.root, self.manifest, self.contract = index.root, manifest, contract
        self.records = index.split("train")
        if contract is None:
            self.records = self.records.having(lambda record: record.truth)
            if not self.records:
                raise training.TrainingError(
                    f"{path}: no training image has truth, so there is no upper bound; use --labels pseudo"
                )
        elif missing := [r.id for r in self.records if not manifest.sha256(r.id, contract.name)]:
            raise training.TrainingError(
                f"{len(missing)} of {len(self.records)} training images have no {contract.name} label, the first is "
                f"{missing[0]}; give --pseudo all manifests of {contract.made_by}"
            )

    def read(self, record: Record) -> np.ndarray:
        """Return (h, w) uint8 at the photograph's size, 255 unknown."""
        if self.contract is None:
            return record.known_truth(self.root)
        return self.manifest.read(record.id, self.contract)["label"]

    def sha256(self) -> Iterator[str]:
        """Yield the sha256 of every image's labels."""
        if self.contract is None:
            return (artifacts.sha256(self.root / record.truth) for record in self.records if record.truth)
        return (self.manifest.sha256(record.id, self.contract.name) for record in self.records)


class SegmenterTraining(TrainingStage):
    """The work of s7_segment."""

    stage = "s7_segment"
    network: Segmenter
    opt: Segment

    def __init__(self, network: Segmenter, sources: dict[str, Any], index: Index, labels: Labels, opt: Segment):
        """
        Args:
            sources: origin of the backbone's weights.
        """
        self.network, self.sources, self.opt, self.labels = network, sources, opt, labels
        self.root, self.items, self.classes = index.root, labels.records, len(index.classes)
        self.names = index.classes

    def sample(self, item: Record, rng) -> dict[str, np.ndarray]:
        opt = self.opt
        view, labels, _ = augment(
            item.image(self.root), self.labels.read(item), rng, opt.crop, opt.scale_min, opt.scale_max
        )
        return {"image": view.transpose(2, 0, 1), "labels": labels}

    def loss(self, batch: dict) -> dict[str, Tensor]:
        image, labels, balanced = backbones.normalise(batch["image"]), batch["labels"], self.opt.balanced_ce
        graded = self.network.graded(image)
        terms = {
            name: weight * segmentation_loss(logits, labels, balanced, self.network.grid)
            for name, (logits, weight) in graded.items()
        }
        if not self.opt.loss_scales:
            return terms
        scaled = scaled_logits(self.network, image, graded["cross_entropy"][0], self.opt.loss_scales)
        return terms | {name: segmentation_loss(logits, labels, balanced) for name, logits in scaled.items()}

    def groups(self) -> list[training.Layers]:
        """Return the parameters that learn alike; biases of new layers apart where they have a learning rate of their own."""
        old, new = super().groups()
        if self.opt.bias_lr_factor == 1:
            return [old, new]
        named = {id(p) for name, p in self.network.named_parameters() if name.endswith("bias")}
        weights, biases = ([p for p in new.parameters if (id(p) in named) == bias] for bias in (False, True))
        return [old, new._replace(parameters=weights), training.Layers(biases, new.factor * self.opt.bias_lr_factor)]

    def grade(self, batches: Iterator[dict]) -> float:
        """Return the mIoU with the labels that the segmenter learns from."""
        return metrics.mean_iou(agreement(self.network, batches, self.classes)) or 0.0

    def origin(self) -> dict[str, Any]:
        return {"classes": self.classes, "origin": self.sources}

    def about(self) -> dict[str, Any]:
        return about_classes(self.names, self.items)

    def evidence(self) -> list[Any]:
        return [artifacts.fingerprint_each(zip((r.sha256 for r in self.items), self.labels.sha256(), strict=True))]
