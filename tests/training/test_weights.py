"""Weights files: provenance, the same bytes, and what is refused."""

import pytest
import torch

from wsss_stages import training
from wsss_stages.store import artifacts


def test_weights_bring_their_provenance(tmp_path):
    network = torch.nn.Linear(2, 3)
    training.save_weights(tmp_path / "w.safetensors", network, {"stage": "x", "options": {"lr": 1}})
    other = torch.nn.Linear(2, 3)
    assert training.load_weights(tmp_path / "w.safetensors", other) == {"stage": "x", "options": {"lr": 1}}
    assert torch.equal(other.weight, network.weight)


def test_the_same_weights_are_always_the_same_bytes(tmp_path):
    network = torch.nn.Linear(2, 3)
    for k in range(10):
        training.save_weights(tmp_path / f"{k}.safetensors", network, {"stage": "x", "options": {"lr": 1}})
    assert len({(tmp_path / f"{k}.safetensors").read_bytes() for k in range(10)}) == 1


def test_weights_of_another_network_are_refused(tmp_path):
    training.save_weights(tmp_path / "w.safetensors", torch.nn.Linear(2, 3), {})
    for network, fault in (
        (torch.nn.Linear(2, 4), r"Linear: 2 tensors of another shape \(weight first\)"),
        (torch.nn.Linear(2, 3, bias=False), r"Linear: 1 tensors unknown \(bias first\)"),
        (torch.nn.BatchNorm1d(3), r"BatchNorm1d: 3 tensors missing \(running_mean first\), 1 tensors of another shape"),
    ):
        with pytest.raises(artifacts.ContractError, match=f"does not fit {fault}"):
            training.load_weights(tmp_path / "w.safetensors", network)
    (tmp_path / "w.safetensors").write_bytes(b"half")
    with pytest.raises(artifacts.ContractError, match="is damaged or not ours"):
        training.load_weights(tmp_path / "w.safetensors", torch.nn.Linear(2, 3))


def test_no_weights_file(tmp_path):
    with pytest.raises(artifacts.ContractError, match="is damaged or not ours"):
        training.read_provenance(tmp_path / "w.safetensors")
