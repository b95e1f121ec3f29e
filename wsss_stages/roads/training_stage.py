"""The one template of the workflow's trainings: items of which some are held out, a loss, a grade, and the origin of
the weights.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from torch import Tensor, nn

from wsss_stages import training
from wsss_stages.config.options import Training
from wsss_stages.config.options.base import Repeated
from wsss_stages.store import artifacts


class TrainingStage(ABC):
    """A training: subclasses set `network`, `items` and `opt`, and define the methods and fields below."""

    stage: ClassVar[str]
    network: nn.Module
    items: Sequence
    """All items to learn from or hold out."""
    opt: Training

    @abstractmethod
    def sample(self, item: Any, rng: np.random.Generator | None) -> dict[str, np.ndarray | int]:
        """Return the arrays and numbers of an augmented item, or without rng of the item as it is."""

    @abstractmethod
    def loss(self, batch: dict) -> dict[str, Tensor]:
        """Return the terms whose sum is minimised."""

    @abstractmethod
    def grade(self, batches: Iterator[dict]) -> float:
        """Return how good the network is on batches of the held-out items; more is better."""

    @abstractmethod
    def origin(self) -> dict[str, Any]:
        """Return the metadata of the weights beside stage and options: classes, backbone, and the origin of its weights."""

    def about(self) -> dict[str, Any]:
        """Return metadata of the weights that no tensor depends on; a checkpoint without them is still resumed."""
        return {}

    @abstractmethod
    def evidence(self) -> list[Any]:
        """Return all else that the weights depend on: fingerprints of images and labels."""

    def item_id(self, item: Any) -> str:
        """Return an item's name in messages; its augmentation is drawn by this name."""
        return item.id

    def image_id(self, item: Any) -> str:
        """Return the image that an item belongs to; all items of an image are held out together."""
        return item.id

    def groups(self) -> list[training.Layers]:
        """Return the parameters that learn alike: pretrained ones, and new ones faster."""
        return training.old_and_new(self.network, self.opt)

    def details(self, items: Sequence) -> dict[str, Any]:
        """Return further fields of `training.Job`: how often images of rare classes are shown, where a training has the option.

        `items` are those to learn from.
        """
        if not isinstance(self.opt, Repeated):
            return {}
        return {"factors": training.repeat_factors((record.tags for record in items), self.opt.repeat_below)}

    def split(self) -> tuple[Sequence, Sequence]:
        """Return the items to learn from and those that are held out."""
        return training.hold_out(self.items, self.stage, self.opt, self.image_id)

    def fit(self, weights: Path, device: str) -> float:
        """Train, or resume, and write the best weights; return the median seconds of a step."""
        items, held = self.split()
        provenance = {"stage": self.stage, "options": self.opt.model_dump(), **self.origin()}
        fields = {
            "groups": self.groups(),
            "epochs": self.opt.epochs,
            "fingerprint": artifacts.fingerprint(provenance, *self.evidence()),
            "held": held,
            "grade": self.grade,
            **self.details(items),
        }
        job = training.Job(
            stage=self.stage,
            network=self.network,
            items=items,
            item_id=self.item_id,
            sample=self.sample,
            loss=self.loss,
            options=self.opt,
            **fields,
        )
        return training.fit(job, weights, provenance | self.about(), device)
