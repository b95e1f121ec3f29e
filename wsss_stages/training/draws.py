"""What is drawn of the items: their order in every epoch, and how each is augmented."""

from collections.abc import Iterator

import numpy as np

from wsss_stages.batches import collate
from wsss_stages.data.index import stable_hash
from wsss_stages.training.job import Job
from wsss_stages.training.shares import Rows, own


def order(job: Job, step: int, shares: list[Rows]) -> Iterator[list[tuple[int, int]]]:
    """(epoch, position) of a process's own items of every batch from a step on.

    An epoch's order depends on seed and epoch alone.
    """
    size = job.options.batch_size
    for at in range(step, job.steps):
        epoch, batch = divmod(at, job.batches)
        seed = stable_hash("order", job.stage, job.options.seed, epoch)
        order = np.random.default_rng(seed).permutation(len(job.items))
        yield own([(epoch, int(position)) for position in order[batch * size : (batch + 1) * size]], shares)


def batch(job: Job, places: list[tuple[int, int]]) -> dict:
    """The augmented items at (epoch, position), and their ids."""
    samples = []
    for epoch, position in places:
        item = job.items[position]
        name = job.item_id(item)
        rng = np.random.default_rng(stable_hash(name, job.stage, job.options.seed, epoch))
        samples.append({"id": name, **job.sample(item, rng)})
    return {**collate(samples), "epoch": places[0][0]}


def step_seed(job: Job, step: int) -> int:
    """Seed of what the network draws in a step."""
    return stable_hash(str(step), job.stage, job.options.seed)
