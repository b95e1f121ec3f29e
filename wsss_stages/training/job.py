"""What a training needs to know: a network, items, a loss, and for how long."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor, nn

from wsss_stages.options import Loop


class TrainingError(ValueError):
    """A training that cannot go on: stage, step, loss, images."""


@dataclass
class Job:
    """What is trained, on what, by which loss.

    sample(item, rng) gives a dictionary of arrays of one augmented item; loss(batch) a dictionary of scalar tensors
    whose sum is minimised. In a batch arrays of one shape are stacked, others listed; it also tells the `id` of its items and its
    `epoch`, from 0. `groups` are (parameters, factor of the learning rate). Parameters of `undecayed` have no weight decay. A batch goes
    through the network in `parts`, whose gradients add up to that of their mean: as much memory as one part takes.
    """

    stage: str
    network: nn.Module
    groups: list[tuple[list[nn.Parameter], float]]
    items: Sequence
    item_id: Callable[[object], str]
    sample: Callable[[object, np.random.Generator], dict[str, np.ndarray]]
    loss: Callable[[dict], dict[str, Tensor]]
    epochs: int
    options: Loop
    fingerprint: str
    undecayed: list[nn.Parameter] = field(default_factory=list)
    parts: int = 1
    grade: Callable[[], float] | None = None
    """How good the network is now, asked after every epoch; the best one's weights are kept. None: the last one's."""

    @property
    def batch(self) -> int:
        """Items of a step; fewer than `batch_size` only where there are not so many."""
        return min(self.options.batch_size, len(self.items))

    @property
    def batches(self) -> int:
        """Steps of an epoch; what is left over after whole batches waits for another epoch's order."""
        return len(self.items) // self.options.batch_size or 1

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self.batches * self.epochs
