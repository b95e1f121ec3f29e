"""The loop over the steps of a training: to its end, to a checkpoint when SIGTERM comes, or to an error."""

import statistics
import sys
import time
from functools import partial
from pathlib import Path

import torch

from wsss_stages.store import artifacts, locks, stopping
from wsss_stages.store.prefetch import Prefetch
from wsss_stages.training import checkpoints, events, grading, kept, layers, sampling, schedule, shared_layers
from wsss_stages.training.average import Average
from wsss_stages.training.batches import AHEAD
from wsss_stages.training.clock import Clock
from wsss_stages.training.gradients import Gradients
from wsss_stages.training.job import Job, TrainingError
from wsss_stages.training.processes import Group, together
from wsss_stages.training.shares import rows
from wsss_stages.training.weights import save_weights


def fit(job: Job, weights: Path, provenance: dict, device: str) -> float:
    """Train and write `weights` (safetensors, with provenance) and beside it `curve.json`; resumes from `checkpoint.pt`.

    The best weights by the grade on the held-out items are written, or without held-out items the last ones; with `ema`
    these are moving averages. The result is the same to the bit however often the training was interrupted: every draw
    comes from (seed, stage, step or epoch, image id). Under `torchrun` every process takes its share of each batch, and
    the first one writes; then losses that are means over other things than images are means over those of each share.

    Nothing is trained where the very same training has ended here before (training.kept).

    Out of time in its last step it still ends, and leaves a checkpoint of the end: SLURM takes its job for failed, and Snakemake
    deletes what failed jobs wrote.

    Returns: median seconds of a step, over the later half of them. Raises TrainingError, InUseError.
    """
    held = locks.held(weights, "curve.json", "checkpoint.pt")
    with held, together(device) as group, stopping.watched() as watch:
        return _fit(job, weights, provenance, device, group, watch)


def _fit(job: Job, weights: Path, provenance: dict, device: str, group: Group, watch: stopping.Watch) -> float:
    seconds, *_ = group.gather(kept.restore(weights, job) if group.is_leader else None)
    if seconds is not None:
        if group.is_leader:
            weights.with_name("checkpoint.pt").unlink(missing_ok=True)
            sys.stderr.write(f"{job.stage}: its inputs and options are unchanged; {weights} is kept\n")
        return seconds
    network = job.network.to(device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    network.train()
    shared_layers.share(network, group)
    optimizer = schedule.optimizer(job)
    checkpoint = weights.with_name("checkpoint.pt")
    state = checkpoints.resume(checkpoint, job, network, optimizer, device)
    _start_together(job, checkpoint, state.step, group)
    group.make_same(network)
    average = Average(job.options.ema if group.is_leader else 0.0, network, state.average)
    state.average = average.tensors
    begins = layers.starts(job)
    layers.set_learning(job, network, state.step)
    gradients = Gradients(job, network, optimizer, group, device)
    clock = Clock(job.stage, state.step, job.steps, job.batch, group.is_leader)
    order = sampling.order(job, state.step, _shares(job, group))
    saved = time.monotonic()
    shown = events.begin(weights.parent, state.curve, state.best["grades"]) if group.is_leader else None
    for _, batch in Prefetch(order, partial(sampling.batch, job), job.options.workers, AHEAD):
        if state.step in begins:
            layers.set_learning(job, network, state.step)
        schedule.set_rates(optimizer, state.step, job.steps, job.options)
        terms = gradients.compute(batch, state)
        optimizer.step()
        average.update(network, state.step)
        state.curve.append({"step": state.step, "lr": optimizer.param_groups[0]["lr"], **terms})
        if shown:
            shown.step(state.curve[-1])
        state.step += 1
        total = sum(value for name, value in terms.items() if name not in job.shown)
        state.seconds.append(clock.report(state.step, total))
        if group.is_leader and grading.due(job, state.step):
            with average.inside(network):
                state.best = grading.better(state.best, job, network, state.step, device)
            if shown:
                shown.grade(state.best["grades"][-1])
            layers.set_learning(job, network, state.step)
        stops = any(group.gather(watch.asked))
        due = time.monotonic() - saved > checkpoints.SECONDS and state.step < job.steps
        if group.is_leader and (stops or due):
            checkpoints.save(checkpoint, job, network, optimizer, state)
            saved = time.monotonic()
        if stops and state.step < job.steps:
            if shown:
                shown.close()
            stopping.leave(
                f"{job.stage}: stopped by SIGTERM; {checkpoint} holds {state.step} of {job.steps} steps. The same command resumes it."
            )
    if shown:
        shown.close()
    pace = statistics.median(state.seconds[len(state.seconds) // 2 :])
    if group.is_leader:
        _write(job, weights, provenance, state, average)
        kept.keep(weights, job, pace)
        if state.best["grades"]:
            clock.say(grading.verdict(job.stage, state.best, job.steps))
        if not watch.asked:
            checkpoint.unlink(missing_ok=True)
    return pace


def _shares(job: Job, group: Group):
    """Return this process's items of every part of a batch. Raises TrainingError."""
    try:
        return rows(job.batch, job.parts, group.rank, group.size)
    except ValueError as error:
        raise TrainingError(f"{job.stage}: {error}") from error


def _start_together(job: Job, checkpoint: Path, step: int, group: Group) -> None:
    """Raise TrainingError where processes do not see the same checkpoint."""
    found = group.gather(step)
    if len(set(found)) > 1:
        raise TrainingError(
            f"{job.stage}: processes would begin at steps {', '.join(map(str, found))}; {checkpoint} must be in a folder that all "
            "processes share. Delete it, or use a shared file system."
        )


def _write(job: Job, weights: Path, provenance: dict, state: checkpoints.State, average: Average) -> None:
    """Write the curve and the best weights, or without grades the last ones; where memory was short, both record it."""
    curve = {"stage": job.stage, "epochs": job.epochs, "steps": state.curve}
    if job.shown:
        curve["shown"] = list(job.shown)
    kept = state.best.get("network") or average.tensors
    if kept:
        job.network.load_state_dict(kept)
    if grades := state.best["grades"]:
        curve |= {"held_out": len(job.held), "grades": grades, "best_step": state.best["step"]}
        curve |= {"settled": grading.settled(grades, job.steps)}
    if state.parts.doublings:
        curve["short_of_memory"] = state.parts.doublings
        provenance = provenance | {"short_of_memory": state.parts.doublings}
    save_weights(weights, job.network, provenance)
    artifacts.write_sealed(weights.with_name("curve.json"), curve)
