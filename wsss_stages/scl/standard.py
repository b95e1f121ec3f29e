"""Maps in units of their own spread: the same network in other coordinates, whose embedding stays alive."""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn

FLAT = 1e-3
"""Least deviation of a channel; one that is flat stays near 0."""


class Standard(nn.Module):
    """Every channel less its mean, over its deviation; as it is, until `measure`.

    An activation's channels are positive. One step of the optimizer, which moves all weights of an embedding alike, then moves its
    answers at every node by the sum of hundreds of means, and its ReLUs die. Without the mean they do not.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("deviation", torch.ones(channels, 1, 1))

    def measure(self, maps: Iterable[Float[Tensor, "m y x"]]) -> None:
        """Take them from the nodes of some images, in one pass."""
        count, total, squares = 0, 0.0, 0.0
        for m in maps:
            nodes = m.flatten(1).double()
            count, total, squares = count + nodes.shape[1], total + nodes.sum(dim=1), squares + (nodes**2).sum(dim=1)
        mean = total / count
        variance = (squares / count - mean**2).clamp(min=0)
        self.mean.copy_(mean[:, None, None])
        self.deviation.copy_(variance.sqrt().clamp(min=FLAT)[:, None, None])

    def forward(self, middle: Float[Tensor, "b m y x"]) -> Float[Tensor, "b m y x"]:
        return (middle - self.mean) / self.deviation
