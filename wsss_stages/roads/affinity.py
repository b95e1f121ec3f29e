"""Training of the affinity CNN on seeds (Eqs. 3.6-3.13)."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wsss_stages.a2gnn.affinity_cnn import AffinityCnn, affinity_losses, pair_likelihood, pair_logs
from wsss_stages.config.options import Affinity
from wsss_stages.data.augment import augment
from wsss_stages.data.index import Index
from wsss_stages.data.record import Record
from wsss_stages.nets import backbones
from wsss_stages.nets.grid import PIXELS, labels_at_nodes, onto
from wsss_stages.pairwise.windows import offsets
from wsss_stages.roads.training_stage import TrainingStage
from wsss_stages.shards.manifest import Manifest
from wsss_stages.store import artifacts, contracts


class AffinityTraining(TrainingStage):
    """The work of s4_affinity."""

    stage = "s4_affinity"
    network: AffinityCnn
    opt: Affinity

    def __init__(self, network: AffinityCnn, sources: dict[str, Any], index: Index, seeds: Manifest, opt: Affinity):
        """
        Args:
            sources: backbone, origin of its weights and sha256 of the classifier.
            seeds: all of the training split.
        """
        self.network, self.sources, self.opt = network, sources, opt
        self.root, self.items, self.seeds = index.root, index.split("train"), seeds
        self.contract, self.window = contracts.ALL[opt.seeds], offsets(opt.radius, opt.window, half=True)
        if not opt.train_backbone:
            network.backbone.requires_grad_(False)

    def sample(self, item: Record, rng) -> dict[str, np.ndarray]:
        labels, stride = self.seeds.read(item.id, self.contract)["label"], self.opt.stride
        view, labels, valid = augment(item.image(self.root), labels, rng, self.opt.crop // stride * stride)
        return {
            "image": view.transpose(2, 0, 1),
            "labels": labels_at_nodes(labels, self.network.grid),
            "valid": labels_at_nodes(valid, self.network.grid).astype("float32"),
        }

    def loss(self, batch: dict) -> dict[str, Tensor]:
        opt, image = self.opt, backbones.normalise(batch["image"])
        features = self.network(image).float()
        small = onto(image, PIXELS, self.network.grid, features.shape[2:])
        weights = opt.reg_weight, opt.sigma_xy, opt.sigma_rgb
        return affinity_losses(features, batch["labels"], small, batch["valid"], self.window, *weights)

    def grade(self, batches: Iterator[dict]) -> float:
        """Return how likely D finds the true relations of pairs of seeds."""
        logs = torch.zeros(3, 2)
        for batch in batches:
            features = self.network(backbones.normalise(batch["image"])).float()
            logs += pair_logs(features, batch["labels"], self.window)
        return pair_likelihood(logs)

    def origin(self) -> dict[str, Any]:
        return self.sources

    def evidence(self) -> list[Any]:
        known = ((r.evidence(), self.seeds.file(r.id, self.contract.name)[1]) for r in self.items)
        return [artifacts.fingerprint_each(known)]
