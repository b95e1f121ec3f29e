"""What a training needs to know: a network, items, a loss, and for how long."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from torch import Tensor, nn

from wsss_stages.config.options import Loop


class TrainingError(ValueError):
    """A training that cannot go on: stage, step, loss, images."""


class Layers(NamedTuple):
    """Parameters that learn alike."""

    parameters: list[nn.Parameter]
    factor: float = 1.0
    """Their learning rate over `options.lr`."""
    begins: float = 0.0
    """Share of the steps after which they begin to learn; their schedule and warm-up count from there."""


@dataclass
class Job:
    """What is trained, on what, by which loss.

    sample(item, rng) gives a dictionary of arrays of one augmented item, or without rng of the item as it is; loss(batch) a dictionary
    of scalar tensors whose sum is minimised, and of numbers named in `shown`. In a batch arrays of one shape are stacked, others listed;
    it also tells the `id` of its items, its `epoch`, from 0, and the share of the steps that are `done` before it. `groups` are `Layers`,
    or tuples of what they hold. Parameters of `undecayed` have no weight decay. A batch goes through the network in `parts`, whose
    gradients add up to that of their mean: as much memory as one part takes.
    """

    stage: str
    network: nn.Module
    groups: list[tuple]
    items: Sequence
    item_id: Callable[[object], str]
    sample: Callable[[object, np.random.Generator | None], dict[str, np.ndarray | int]]
    loss: Callable[[dict], dict[str, Tensor]]
    epochs: int
    options: Loop
    fingerprint: str
    undecayed: list[nn.Parameter] = field(default_factory=list)
    parts: int = 1
    held: Sequence = ()
    """Items that are never learned from."""
    grade: Callable[[Iterator[dict]], float] | None = None
    """How good the network is on batches of the held-out items; more is better. The best weights are kept."""
    graded_from: float = 0.0
    """Share of the steps before which there is nothing to grade."""
    shown: tuple[str, ...] = ()
    """What `loss` gives for the curve alone: shares in [0, 1] that are no losses."""
    factors: np.ndarray | None = None
    """(n,) How often each item is drawn over how often others are; None: all as often (training.repeats)."""

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

    def step_at(self, share: float) -> int:
        """Return the step that begins after a share of the training."""
        return round(share * self.steps)
