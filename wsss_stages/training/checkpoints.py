"""The state of a training on disk: everything that the next step depends on."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from wsss_stages.store import artifacts, tensor_files
from wsss_stages.training.job import Job
from wsss_stages.training.memory import Parts
from wsss_stages.training.weights import misfit

SECONDS = 60.0
"""Seconds between checkpoints: a killed training loses at most this much work."""
KEYS = {"fingerprint", "network", "optimizer", "step", "curve", "seconds", "best", "average", "parts", "short"}


@dataclass
class State:
    """The state of a training, beside network and optimizer."""

    parts: Parts
    step: int = 0
    """The next step."""
    curve: list[dict] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """Seconds of every step."""
    best: dict[str, Any] = field(default_factory=lambda: {"grades": []})
    """The best weights so far, their step, and all grades."""
    average: dict[str, Tensor] | None = None
    """The tensors of the moving average (training.average); None before the first step."""


def save(path: Path, job: Job, network: nn.Module, optimizer: Optimizer, state: State) -> None:
    """Write a checkpoint, whole or not at all."""
    content = {
        "fingerprint": job.fingerprint,
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": state.step,
        "curve": json.dumps(state.curve),
        "seconds": state.seconds,
        "best": state.best,
        "average": state.average,
        "parts": state.parts.number,
        "short": state.parts.doublings,
    }
    with artifacts.whole(path) as unfinished:
        torch.save(content, unfinished)


def resume(path: Path, job: Job, network: nn.Module, optimizer: Optimizer, device: str) -> State:
    """Load the checkpoint if it belongs to this job, else start afresh and report why."""
    if not path.exists():
        return State(Parts(job.parts))
    content, fault = _read(path, job, device)
    if fault:
        sys.stderr.write(f"{job.stage}: {path} {fault}; training starts afresh\n")
        return State(Parts(job.parts))
    network.load_state_dict(content["network"])
    optimizer.load_state_dict(content["optimizer"])
    parts = Parts(content["parts"], content["short"])
    curve = json.loads(content["curve"])
    return State(parts, content["step"], curve, content["seconds"], content["best"], content["average"])


def _read(path: Path, job: Job, device: str) -> tuple[dict, str]:
    """Return a checkpoint's content, and the reason why it cannot be used."""
    try:
        content = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # a damaged checkpoint is worth less than a clean start
        return {}, f"is damaged (found {tensor_files.describe(path, error)})"
    if not isinstance(content, dict) or KEYS - content.keys():
        missing = sorted(KEYS - content.keys()) if isinstance(content, dict) else ["any key"]
        return {}, f"is of another version (it lacks {', '.join(missing)})"
    if content["fingerprint"] != job.fingerprint:
        return {}, "belongs to another training (other options, images or labels)"
    if reason := misfit(content["network"], job.network):
        return {}, f"is of another version of the network ({reason})"
    return content, ""
