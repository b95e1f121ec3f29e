"""The description of a training: a network, items, a loss, and the number of steps."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor, nn

from wsss_stages.config.options import Loop


class TrainingError(ValueError):
    """A training that cannot continue: stage, step, loss, images."""


class Layers(NamedTuple):
    """Parameters that learn alike."""

    parameters: list[nn.Parameter]
    factor: float = 1.0
    """Their learning rate over `options.lr`."""
    begins: float = 0.0
    """Share of the steps after which they begin to learn; their schedule and warm-up count from there."""


@dataclass
class Job:
    """The network to train, its items and its loss.

    sample(item, rng) gives a dictionary of arrays of one augmented item, or without rng of the item as it is;
    loss(batch) a dictionary of scalar tensors whose sum is minimised, and of numbers named in `shown`. In a batch
    arrays of one shape are stacked, others listed; it also has the `id` of its items, its `epoch`, from 0, and the
    share of the steps that are `done` before it. `groups` are `Layers`, or tuples of their fields. Parameters of
    `undecayed` have no weight decay. A batch goes through the network in `parts`, whose gradients add up to that of
    their mean: as much memory as one part takes.
    """

    stage: str
    network: nn.Module
    groups: list[tuple]
    items: Sequence
    item_id: Callable[[Any], str]
    sample: Callable[[Any, np.random.Generator | None], dict[str, np.ndarray | int]]
    loss: Callable[[dict], dict[str, Tensor]]
    epochs: int
    options: Loop
    fingerprint: str
    undecayed: list[nn.Parameter] = field(default_factory=list)
    parts: int = 1
    held: Sequence = ()
    """Items that are never learned from."""
    grade: Callable[[Iterator[dict]], float] | None = None
    """The grade of the network on batches of the held-out items; more is better. The best weights are kept."""
    graded_from: float = 0.0
    """Share of the steps before which the network is not graded."""
    shown: tuple[str, ...] = ()
    """Names of values of `loss` for the curve alone: shares in [0, 1] that are no losses."""
    factors: np.ndarray | None = None
    """(n,) How often each item is drawn over how often others are; None: all equally often (training.repeats)."""

    @property
    def batch(self) -> int:
        """Return the items of a step; fewer than `batch_size` only if the training has fewer."""
        return min(self.options.batch_size, len(self.items))

    @property
    def batches(self) -> int:
        """Return the steps of an epoch; items left over after whole batches wait for another epoch's order."""
        return len(self.items) // self.options.batch_size or 1

    @property
    def steps(self) -> int:
        """Return the steps of the whole training."""
        return self.batches * self.epochs

    def step_at(self, share: float) -> int:
        """Return the step that begins after a share of the training."""
        return round(share * self.steps)
