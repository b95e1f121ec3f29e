"""The exponential moving average of a network's weights, which is graded and kept in place of the weights of a single step."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """The moving average of the floating-point tensors of a network; other tensors are the newest."""

    def __init__(self, decay: float, network: nn.Module, tensors: dict[str, Tensor] | None = None):
        """Start the average; `decay` 0 keeps none. `tensors` are those of an average that is resumed."""
        self.decay = decay
        self.tensors = tensors if tensors is not None else _copy(network) if decay else {}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take in the weights after a step, counted from 0: a share of 1 - min(decay, (1 + step) / (10 + step)) of them."""
        if not self.decay:
            return
        decay = min(self.decay, (1 + step) / (10 + step))
        state = network.state_dict()
        floating = [name for name, tensor in state.items() if tensor.is_floating_point()]
        lerp = torch._foreach_lerp_  # pyright: ignore[reportPrivateImportUsage]
        lerp([self.tensors[n] for n in floating], [state[n] for n in floating], 1 - decay)
        for name in state.keys() - floating:
            self.tensors[name].copy_(state[name])

    @contextmanager
    def inside(self, network: nn.Module) -> Iterator[None]:
        """Put the average into the network for as long as the block lasts."""
        own = _copy(network) if self.decay else {}
        if self.decay:
            network.load_state_dict(self.tensors)
        try:
            yield
        finally:
            if self.decay:
                network.load_state_dict(own)


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
