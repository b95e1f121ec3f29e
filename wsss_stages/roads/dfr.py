"""Training of DFR on scribbles, or on truth for its upper bound (Sec. 4.2)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from torch import Tensor

from wsss_stages import training
from wsss_stages.config.options import Dfr
from wsss_stages.data.augment import augment
from wsss_stages.data.index import Index, stable_hash
from wsss_stages.data.record import Record
from wsss_stages.data.weak import simulate
from wsss_stages.dfr.iteration import Settings, losses
from wsss_stages.dfr.net import DfrNet
from wsss_stages.evaluation import metrics
from wsss_stages.nets.segmenter import agreement
from wsss_stages.roads.named_classes import about_classes
from wsss_stages.roads.training_stage import TrainingStage
from wsss_stages.store import artifacts

HUE = 18.0
"""Largest change of hue of training images, degrees."""


def learned_from(index: Index, path: Path, labels: str):
    """Return the training images with truth, or all of them with scribbles. Raises TrainingError, with the path of the index."""
    records = index.split("train")
    if labels == "truth":
        records = records.having(lambda record: record.truth)
        if not records:
            raise training.TrainingError(
                f"{path}: no training image has truth, so there is no upper bound; use --labels scribbles"
            )
    elif without := [r.id for r in records if r.scribbles is None]:
        raise training.TrainingError(
            f"{path}: {len(without)} of {len(records)} training images have no scribbles, the first is {without[0]}; DFR "
            "learns from scribbles only. Run with weak: scribble, or draw them with simulate_weak."
        )
    return records


class DfrTraining(TrainingStage):
    """The work of dfr_train."""

    stage = "dfr_train"
    network: DfrNet
    opt: Dfr

    def __init__(self, network: DfrNet, sources: dict[str, Any], index: Index, records, opt: Dfr):
        """
        Args:
            sources: origin of the backbone's weights.
            records: of `learned_from`.
        """
        self.network, self.sources, self.opt, self.index = network, sources, opt, index
        self.items, self.classes = records, len(index.classes)
        self.names = index.classes
        self.settings = opt.fill(Settings)

    def labels(self, record: Record) -> np.ndarray:
        """Return (h, w) uint8 training labels, 255 unknown: truth, a corrected mask, scribbles, or a part of each scribble."""
        if self.opt.labels == "truth":
            return record.known_truth(self.index.root)
        if record.corrected:
            mask = record.learned_mask(self.index.root)
            return cv2.resize(mask, (record.width, record.height), interpolation=cv2.INTER_NEAREST)
        scribbles = self.index.scribble_labels(record)
        assert scribbles is not None, f"{record.id} has no scribbles"
        if self.opt.scribble_share == 1:
            return scribbles
        rng = np.random.default_rng(stable_hash(record.id, self.stage, "scribble_share", self.opt.seed))
        return simulate.shortened(scribbles, self.opt.scribble_share, rng)

    def sample(self, item: Record, rng) -> dict[str, np.ndarray]:
        opt, image = self.opt, item.image(self.index.root)
        view, labels, valid = augment(
            image, self.labels(item), rng, opt.crop, opt.scale_min, opt.scale_max, fit=True, hue=HUE
        )
        return {"image": view.transpose(2, 0, 1), "labels": labels, "valid": valid}

    def loss(self, batch: dict) -> dict[str, Tensor]:
        ramp = training.ramp(batch["done"], self.opt.ramp_begins, self.opt.ramp_ends)
        return losses(self.network, batch["image"], batch["labels"], batch["valid"], self.settings, ramp)

    def grade(self, batches: Iterator[dict]) -> float:
        """Return the accuracy on the pixels of scribbles, the mean over classes; mIoU on truth."""
        counts = agreement(self.network, batches, self.classes)
        score = metrics.mean_iou if self.opt.labels == "truth" else metrics.mean_accuracy
        return score(counts) or 0.0

    def origin(self) -> dict[str, Any]:
        return {"classes": self.classes, "origin": self.sources}

    def about(self) -> dict[str, Any]:
        return about_classes(self.names, self.items)

    def evidence(self) -> list[Any]:
        if self.opt.labels == "truth":
            known = (artifacts.sha256(self.index.root / r.truth) for r in self.items)
        else:
            known = (r.truth_sha256 if r.corrected else r.scribbles_sha256 for r in self.items)
        each = ((r.sha256, r.height, r.width, labels) for r, labels in zip(self.items, known, strict=True))
        return [artifacts.fingerprint_each(each)]

    def details(self, items) -> dict[str, Any]:
        return {"undecayed": training.without_decay(self.network), "parts": self.opt.accumulate}
