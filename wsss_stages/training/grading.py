"""Grades of a network on the held-out part: when, which weights are kept, and whether the training had settled."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from wsss_stages.store.prefetch import Prefetch
from wsss_stages.training.batches import AHEAD, collate, to_device
from wsss_stages.training.job import Job

OFTEN = 20
"""Number of grades of a training whose options set no interval."""
LATE = 0.75
"""Share of the steps after which the last quarter begins, which decides whether a training had settled."""
TELLING = 3
"""With fewer grades on either side of LATE no verdict is possible."""


def interval(job: Job) -> int:
    """Return the steps between two grades."""
    if job.options.grade_every:
        return job.options.grade_every
    return max(math.ceil(job.steps / OFTEN), 2 * math.ceil(len(job.held) / job.options.batch_size))


def due(job: Job, step: int) -> bool:
    """Return whether the network is graded after `step` steps: at every interval and at the end."""
    if job.grade is None or not len(job.held) or step < job.step_at(job.graded_from):
        return False
    return step % interval(job) == 0 or step == job.steps


def better(best: dict, job: Job, network: nn.Module, step: int, device: str) -> dict:
    """Return the best weights so far, their step, and the grades of all steps; of equal grades the first is the best."""
    network.eval()
    assert job.grade, f"{job.stage} has no grade"
    with torch.no_grad():
        grade = float(job.grade(_batches(job, device)))
    grades = [*best["grades"], {"step": step, "grade": grade}]
    if best["grades"] and grade <= max(entry["grade"] for entry in best["grades"]):
        return best | {"grades": grades}
    state = {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}
    return {"grades": grades, "step": step, "network": state}


def settled(grades: list[dict], steps: int) -> bool | None:
    """Return whether a training had settled, so that more steps would hardly have helped; None where there are too few grades.

    A training had settled if no grade of its last quarter exceeds the best one before it by more than the noise, which is the
    standard deviation of the grades of the last quarter.
    """
    early = [entry["grade"] for entry in grades if entry["step"] <= LATE * steps]
    late = [entry["grade"] for entry in grades if entry["step"] > LATE * steps]
    if min(len(early), len(late)) < TELLING:
        return None
    return bool(max(late) <= max(early) + np.std(late, ddof=1))


def verdict(stage: str, best: dict, steps: int) -> str:
    """Return one sentence on which weights are kept, and whether the training had settled."""
    best_grade = max(entry["grade"] for entry in best["grades"])
    kept = f"{stage}: kept the weights of step {best['step']} of {steps}, grade {best_grade:.4f}"
    return f"{kept}; {SETTLED[settled(best['grades'], steps)]}"


SETTLED = {
    True: "the training had settled",
    False: "the training had not settled, more steps would help",
    None: "there are too few grades to say whether the training had settled",
}


def _batches(job: Job, device: str) -> Iterator[dict]:
    """Yield the held-out items in order, as they are, in batches on the device."""
    size = job.options.batch_size
    places = [list(range(start, min(start + size, len(job.held)))) for start in range(0, len(job.held), size)]

    def made(some: list[int]) -> dict:
        items = [job.held[place] for place in some]
        return collate([{"id": job.item_id(item), **job.sample(item, None)} for item in items])

    for _, batch in Prefetch(places, made, job.options.workers, AHEAD):
        yield {name: to_device(value, device) for name, value in batch.items()}
