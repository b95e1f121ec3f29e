"""A trained network on disk: its tensors and their origin."""

import json
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from wsss_stages.store import artifacts, seals, tensor_files
from wsss_stages.store.contracts import CHECKPOINT_VERSION
from wsss_stages.store.provenance import read_provenance
from wsss_stages.training.job import TrainingError


def save_weights(path: Path, network: nn.Module, provenance: dict) -> None:
    """Write a network's tensors as safetensors with its provenance, whole or absent. Raises TrainingError for NaN in them."""
    metadata = {"version": CHECKPOINT_VERSION, **provenance}
    # one key only: safetensors writes several in an order of its own, and the same weights would be other bytes
    meta = {"provenance": json.dumps(metadata | {artifacts.SEAL: seals.BLANK}, sort_keys=True, default=str)}
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    if bad := tensor_files.not_finite(state):
        raise TrainingError(
            f"{path}: {bad} after training; nothing was written. A lower lr or precision float32 helps. Check that the "
            "initial weights are intact."
        )
    with artifacts.whole(path) as unfinished:
        save_file(state, unfinished, metadata=meta)
        seals.close(unfinished)


def load_weights(path: Path, network: nn.Module) -> dict:
    """Fill a network from a file of `save_weights`; its provenance. Raises ContractError."""
    provenance = read_provenance(path)
    with safe_open(path, "pt") as file:
        state = {name: file.get_tensor(name) for name in file.keys()}
    again = artifacts.remedy_of(path)
    if reason := misfit(state, network) or tensor_files.not_finite(state):
        raise artifacts.ContractError(f"{path} does not fit {type(network).__name__}: {reason}. {again}")
    network.load_state_dict(state)
    if provenance.pop("version", None) != CHECKPOINT_VERSION:
        raise artifacts.ContractError(f"{path} is not weights v{CHECKPOINT_VERSION} of this project. {again}")
    return provenance


def misfit(state: dict[str, Tensor], network: nn.Module) -> str:
    """Return why tensors do not fit a network; empty if nothing does."""
    wanted = network.state_dict()
    faults = {
        "missing": [name for name in wanted if name not in state],
        "unknown": [name for name in state if name not in wanted],
        "of another shape": [name for name in wanted if name in state and state[name].shape != wanted[name].shape],
    }
    return ", ".join(f"{len(names)} tensors {fault} ({names[0]} first)" for fault, names in faults.items() if names)
