"""Maps in units of their own spread: the same network in other coordinates, whose embedding stays alive."""

from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

FLAT = 1e-3
"""Least deviation of a channel; one that is flat stays near 0."""


class Standardise(nn.Module):
    """Every channel less its mean, over its deviation, seen along the directions of most variance; unchanged until
    `measure` is called.

    An activation's channels are positive. One step of the optimizer, which moves all weights of an embedding alike,
    then moves its answers at every node by the sum of hundreds of means, and its ReLUs die. Without the mean they do
    not. Fewer directions than channels make every step cheaper, and their cosines are those of the maps but for what
    varies least.
    """

    mean: Tensor
    deviation: Tensor
    directions: Tensor | None

    def __init__(self, channels: int, directions: int = 0):
        """
        Args:
            directions: how many are kept; 0 = the channels themselves.
        """
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("deviation", torch.ones(channels, 1, 1))
        kept = min(directions, channels)
        self.register_buffer("directions", torch.eye(kept, channels) if directions else None)

    @property
    def outputs(self) -> int:
        """Return the number of channels of the output."""
        return len(self.mean if self.directions is None else self.directions)

    def measure(self, maps: Iterable[Float[Tensor, "m y x"]]) -> None:
        """Take them from the nodes of some images, in one pass."""
        count = 0
        total: Any = 0.0
        products: Any = 0.0
        for m in maps:
            nodes = m.flatten(1).double()
            count, total, products = count + nodes.shape[1], total + nodes.sum(dim=1), products + nodes @ nodes.T
        mean = total / count
        covariance = products / count - torch.outer(mean, mean)
        deviation = covariance.diagonal().clamp(min=0).sqrt().clamp(min=FLAT)
        self.mean.copy_(mean[:, None, None])
        self.deviation.copy_(deviation[:, None, None])
        if self.directions is not None:
            _, vectors = torch.linalg.eigh(covariance / torch.outer(deviation, deviation))
            self.directions.copy_(vectors.flip(1)[:, : self.outputs].T)

    def forward(self, middle: Float[Tensor, "b m y x"]) -> Float[Tensor, "b k y x"]:
        made = (middle - self.mean) / self.deviation
        return made if self.directions is None else F.conv2d(made, self.directions[:, :, None, None])
