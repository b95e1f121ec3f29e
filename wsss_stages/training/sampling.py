"""Random draws of the items: their order in every epoch, and how each is augmented."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from wsss_stages.data.index import stable_hash
from wsss_stages.training.batches import collate
from wsss_stages.training.job import Job
from wsss_stages.training.repeats import drawn
from wsss_stages.training.shares import Rows, own


class Draw(NamedTuple):
    """An item in an epoch."""

    epoch: int
    position: int
    repeat: int
    """Draws of the same item before this one, in the same epoch."""


def order(job: Job, step: int, shares: list[Rows]) -> Iterator[list[Draw]]:
    """Yield a process's own draws of every batch from a step on.

    An epoch's order depends on seed and epoch alone.
    """
    size, epoch = job.options.batch_size, -1
    for at in range(step, job.steps):
        if epoch != at // job.batches:
            epoch = at // job.batches
            positions, before = _epoch(job, epoch)
        batch = slice(at % job.batches * size, (at % job.batches + 1) * size)
        draws = zip(positions[batch].tolist(), before[batch].tolist(), strict=True)
        yield own([Draw(epoch, position, repeat) for position, repeat in draws], shares)


def _epoch(job: Job, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of an epoch's draws, and how many draws of the same item come before each."""
    rng = np.random.default_rng(stable_hash("order", job.stage, job.options.seed, epoch))
    n = len(job.items)
    return (rng.permutation(n), np.zeros(n, int)) if job.factors is None else drawn(job.factors, rng)


def batch(job: Job, draws: list[Draw]) -> dict:
    """Return the augmented items of draws, and their ids."""
    samples = []
    for draw in draws:
        item = job.items[draw.position]
        name = job.item_id(item)
        again = (draw.repeat,) if draw.repeat else ()
        rng = np.random.default_rng(stable_hash(name, job.stage, job.options.seed, draw.epoch, *again))
        samples.append({"id": name, **job.sample(item, rng)})
    return {**collate(samples), "epoch": draws[0].epoch}


def step_seed(job: Job, step: int) -> int:
    """Return the seed of the network's random draws in a step."""
    return stable_hash(str(step), job.stage, job.options.seed)
