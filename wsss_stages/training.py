"""The training loop: schedule, precision, checkpoints with exact resume, progress, learning curve."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from wsss_stages import artifacts, locks, seals
from wsss_stages.batches import collate, made_ahead
from wsss_stages.contracts import CHECKPOINT_VERSION
from wsss_stages.data.index import stable_hash
from wsss_stages.options import Loop

CHECKPOINT_SECONDS = 60.0
"""A killed training loses at most this much work."""


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
    items: list
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


class TrainingError(ValueError):
    """A training that cannot go on: step, loss, images."""


def fit(job: Job, weights: Path, provenance: dict, device: str) -> float:
    """Train and write `weights` (safetensors, with provenance) and beside it `curve.json`; resumes from `checkpoint.pt`.

    The result is the same to the bit however often the training was interrupted: every draw comes from
    (seed, stage, step or epoch, image id).

    Returns: median seconds of a step, over the later half of those that were made now. Raises InUseError.
    """
    with locks.held(weights, "curve.json", "checkpoint.pt"):
        return _fit(job, weights, provenance, device)


def _fit(job: Job, weights: Path, provenance: dict, device: str) -> float:
    opt = job.options
    network = job.network.to(device, memory_format=torch.channels_last).train()
    groups = _groups(job)
    optimizer = _optimizer(groups, opt)
    parameters = [parameter for group in groups for parameter in group["params"]]
    batches = len(job.items) // opt.batch_size or 1
    steps = batches * job.epochs
    checkpoint = weights.with_name("checkpoint.pt")
    step, curve, best = _resume(checkpoint, job, network, optimizer, device)
    made = made_ahead(partial(_batch, job), _order(job, step, steps, batches), opt.workers)
    clock = _Clock(job.stage, step, steps, opt.batch_size)
    autocast = _autocast(opt.precision, torch.device(device).type)
    saved = time.monotonic()
    for batch in made:
        torch.manual_seed(stable_hash(str(step), job.stage, opt.seed))
        for group in optimizer.param_groups:
            group["lr"] = group["base"] * _schedule(step, steps, opt)
        optimizer.zero_grad(set_to_none=True)
        terms: dict[str, float] = {}
        for part, share in _split(batch, job.parts):
            with autocast:
                losses = job.loss({name: _moved(value, device) for name, value in part.items()})
            total = torch.stack([value.float() for value in losses.values()]).sum()
            if not torch.isfinite(total):
                shown = {name: value.item() for name, value in losses.items()}
                raise TrainingError(
                    f"{job.stage}: the loss is {shown} at step {step} of {steps}, images {', '.join(part['id'])}. Nothing was "
                    "written from it. A lower lr or precision float32 helps; are the weights whole?"
                )
            (total * share).backward()
            for name, value in losses.items():
                terms[name] = terms.get(name, 0.0) + value.item() * share
        torch.nn.utils.clip_grad_norm_(parameters, opt.clip_norm)
        optimizer.step()
        curve.append({"step": step, "lr": optimizer.param_groups[0]["lr"], **terms})
        step += 1
        clock.tell(step, sum(terms.values()))
        if job.grade and step % batches == 0:
            best = _better(best, job, network, step // batches)
        if time.monotonic() - saved > CHECKPOINT_SECONDS and step < steps:
            _save(checkpoint, job, network, optimizer, step, curve, best)
            saved = time.monotonic()
    told = {"stage": job.stage, "epochs": job.epochs, "steps": curve}
    if job.grade:
        network.load_state_dict(best["network"])
        told |= {"grades": best["grades"], "kept_epoch": best["epoch"]}
    artifacts.write_sealed(weights.with_name("curve.json"), told)
    save_weights(weights, network, provenance)
    checkpoint.unlink(missing_ok=True)
    return clock.pace()


def without_decay(network: nn.Module) -> list[nn.Parameter]:
    """Parameters of norms and of positions, which AdamW leaves undecayed where Transformers are trained."""
    norms = (nn.LayerNorm, nn.GroupNorm, nn.modules.batchnorm._BatchNorm)
    found = [p for module in network.modules() if isinstance(module, norms) for p in module.parameters(recurse=False)]
    places = ("relative_position_bias_table", "absolute_pos_embed", "pos_embed")
    return found + [p for name, p in network.named_parameters() if name.rpartition(".")[2] in places]


def _groups(job: Job) -> list[dict]:
    """What the optimizer gets: every group of the job, in two where a part of it is not decayed."""
    kept = {id(parameter) for parameter in job.undecayed}
    found = []
    for params, factor in job.groups:
        lr = job.options.lr * factor
        decayed, undecayed = ([p for p in params if (id(p) in kept) == whether] for whether in (False, True))
        found.append({"params": decayed, "lr": lr, "base": lr})
        found.append({"params": undecayed, "lr": lr, "base": lr, "weight_decay": 0.0})
    return [group for group in found if group["params"]]


def _split(batch: dict, parts: int) -> Iterator[tuple[dict, float]]:
    """A batch in parts of nearly one size, and the share of its items in each."""
    count = len(batch["id"])
    parts = min(parts, count)
    ends = [number * count // parts for number in range(parts + 1)]
    for start, end in pairwise(ends):
        yield {n: v if isinstance(v, int) else v[start:end] for n, v in batch.items()}, (end - start) / count


def _moved(value, device: str):
    """A value of a batch with its tensors on the device."""
    if isinstance(value, list):
        return [_moved(one, device) for one in value]
    return value.to(device, non_blocking=True) if isinstance(value, Tensor) else value


def _optimizer(groups: list[dict], opt: Loop) -> torch.optim.Optimizer:
    if opt.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=opt.lr, weight_decay=opt.weight_decay)
    return torch.optim.SGD(groups, lr=opt.lr, momentum=opt.momentum, weight_decay=opt.weight_decay)


def _schedule(step: int, steps: int, opt: Loop) -> float:
    """Share of the initial learning rate: up in a line over the warm-up, down by the poly rule."""
    return (1 - step / steps) ** opt.poly_power * min(1.0, (step + 1) / max(1, opt.warm_up))


def _autocast(precision: str, device_type: str):
    half = precision == "bfloat16" or (precision == "auto" and device_type == "cuda")
    return torch.autocast(device_type, torch.bfloat16) if half else nullcontext()


def save_weights(path: Path, network: nn.Module, provenance: dict) -> None:
    """Write a network's tensors as safetensors with its provenance, whole or absent."""
    whence = {"version": CHECKPOINT_VERSION, **provenance}
    # one key only: safetensors writes several in an order of its own, and the same weights would be other bytes
    meta = {"provenance": json.dumps(whence | {artifacts.SEAL: seals.BLANK}, sort_keys=True, default=str)}
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    with artifacts.whole(path) as unfinished:
        save_file(state, unfinished, metadata=meta)
        seals.close(unfinished)


def load_weights(path: Path, network: nn.Module) -> dict:
    """Fill a network with what `save_weights` wrote; its provenance. Raises ContractError."""
    from safetensors import SafetensorError, safe_open

    try:
        artifacts.intact(path, artifacts.remedy_of(path))
        with safe_open(path, "pt") as file:
            provenance = json.loads((file.metadata() or {}).get("provenance", "{}"))
            state = {name: file.get_tensor(name) for name in file.keys()}
    except (FileNotFoundError, SafetensorError) as error:
        raise artifacts.ContractError(
            f"{path} is not readable ({str(error).splitlines()[0]}). Run the stage that makes it again."
        ) from error
    if reason := _misfit(state, network):
        raise artifacts.ContractError(
            f"{path} does not fit {type(network).__name__}: {reason}. Run the stage that makes it again."
        )
    network.load_state_dict(state)
    del provenance[artifacts.SEAL]
    if provenance.pop("version", None) != CHECKPOINT_VERSION:
        raise artifacts.ContractError(
            f"{path} is not weights v{CHECKPOINT_VERSION} of ours. Run the stage that makes it again."
        )
    return provenance


def _misfit(state: dict[str, Tensor], network: nn.Module) -> str:
    """What keeps tensors from filling a network; empty if nothing does."""
    wanted = network.state_dict()
    faults = {
        "missing": [name for name in wanted if name not in state],
        "unknown": [name for name in state if name not in wanted],
        "of another shape": [name for name in wanted if name in state and state[name].shape != wanted[name].shape],
    }
    return ", ".join(f"{len(names)} tensors {fault} ({names[0]} first)" for fault, names in faults.items() if names)


def read_provenance(path: Path) -> dict:
    """The provenance of a weights file, without its tensors."""
    from safetensors import SafetensorError, safe_open

    try:
        artifacts.intact(path, artifacts.remedy_of(path))
        with safe_open(path, "pt") as file:
            return json.loads((file.metadata() or {})["provenance"])
    except (FileNotFoundError, SafetensorError, KeyError) as error:
        raise artifacts.ContractError(
            f"{path} is no weights file of ours ({error}). Run the stage that makes it again."
        ) from error


def _order(job: Job, step: int, steps: int, batches: int) -> Iterator[list[tuple[int, int]]]:
    """(epoch, position) of the items of every batch from a step on; an epoch's order depends on seed and epoch alone."""
    size = job.options.batch_size
    for at in range(step, steps):
        epoch, batch = divmod(at, batches)
        seed = stable_hash("order", job.stage, job.options.seed, epoch)
        order = np.random.default_rng(seed).permutation(len(job.items))
        yield [(epoch, int(position)) for position in order[batch * size : (batch + 1) * size]]


def _batch(job: Job, places: list[tuple[int, int]]) -> dict:
    """The augmented items at (epoch, position), and their ids."""
    samples = []
    for epoch, position in places:
        item = job.items[position]
        name = job.item_id(item)
        rng = np.random.default_rng(stable_hash(name, job.stage, job.options.seed, epoch))
        samples.append({"id": name, **job.sample(item, rng)})
    return {**collate(samples), "epoch": places[0][0]}


def _better(best: dict, job: Job, network: nn.Module, epoch: int) -> dict:
    """The best network so far, its epoch and the grades of all; of equals the first."""
    network.eval()
    with torch.no_grad():
        grades = [*best["grades"], job.grade()]
    network.train()
    if best["grades"] and grades[-1] <= max(best["grades"]):
        return best | {"grades": grades}
    state = {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}
    return {"grades": grades, "epoch": epoch, "network": state}


def _resume(path: Path, job: Job, network: nn.Module, optimizer, device: str) -> tuple[int, list, dict]:
    """Step, curve and best network to go on with: of a checkpoint of the very same job, or the beginning."""
    nothing: tuple[int, list, dict] = 0, [], {"grades": []}
    if not path.exists():
        return nothing
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except Exception:  # a damaged checkpoint is worth less than a clean start
        return nothing
    if state.get("fingerprint") != job.fingerprint:
        return nothing
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    return state["step"], json.loads(state["curve"]), state.get("best", nothing[2])


def _save(path: Path, job: Job, network: nn.Module, optimizer, step: int, curve: list, best: dict) -> None:
    state = {
        "fingerprint": job.fingerprint,
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": step,
        "curve": json.dumps(curve),
        "best": best,
    }
    with artifacts.whole(path) as unfinished:
        torch.save(state, unfinished)


class _Clock:
    """Tells loss, images per second and time left every ten seconds; knows how long steps took."""

    def __init__(self, stage: str, step: int, steps: int, batch_size: int):
        from rich.console import Console

        self.stage, self.first, self.steps, self.batch_size = stage, step, steps, batch_size
        self.start = self.told = time.monotonic()
        self.ends = [self.start]
        self.console = Console(stderr=True)
        if step:
            self.console.print(f"{stage}: resumed at step {step} of {steps}")

    def tell(self, step: int, loss: float) -> None:
        now = time.monotonic()
        self.ends.append(now)
        if now - self.told < 10 and step < self.steps:
            return
        self.told = now
        rate = (step - self.first) / max(now - self.start, 1e-9)
        self.console.print(
            f"{self.stage}: step {step}/{self.steps}, loss {loss:.4f}, {rate * self.batch_size:.1f} images a second, "
            f"{(self.steps - step) / rate / 60:.1f} min left"
        )

    def pace(self) -> float:
        """Median seconds of the later half of the steps."""
        took = np.diff(self.ends)
        return float(np.median(took[len(took) // 2 :]))
