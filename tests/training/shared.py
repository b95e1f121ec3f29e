"""Trains a tiny network, alone or under torchrun: `shared.py FOLDER NETWORK PARTS`."""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from wsss_stages import training
from wsss_stages.config.options import Training
from wsss_stages.training import checkpoints

NETWORKS = {
    "plain": lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 1, 1)),
    "norm": lambda: nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Dropout2d(0.5), nn.GroupNorm(2, 4), nn.ReLU(),
        nn.Conv2d(4, 4, 1), nn.Dropout(0.2), nn.Conv2d(4, 1, 1),
    ),
}  # fmt: skip
BATCH, ITEMS, EPOCHS = 5, 10, 4


def job(name: str, parts: int = 1, batch: int = BATCH) -> training.Job:
    """A job whose loss is a mean over images; one of its parameters has no gradient."""
    torch.manual_seed(0)
    network = NETWORKS[name]()
    network.unused = nn.Parameter(torch.ones(3))

    def sample(item, rng):
        return {"x": rng.random((3, 6, 6), dtype=np.float32) + item, "wanted": np.float32([[[item]]])}

    def loss(made):
        return {"squared": (network(made["x"]) - made["wanted"]).square().mean()}

    options = Training(batch_size=batch, lr=0.01, workers=0, precision="float32")
    groups = [(list(network.parameters()), 1.0)]
    return training.Job(
        "s1_classifier", network, groups, list(range(ITEMS)), str, sample, loss, EPOCHS, options, name, parts=parts
    )


if __name__ == "__main__":
    checkpoints.SECONDS = 0.0
    folder, name, parts = sys.argv[1:]
    training.fit(job(name, int(parts)), Path(folder) / "weights.safetensors", {}, "cpu")
