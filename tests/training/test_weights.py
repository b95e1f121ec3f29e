"""Weights files: provenance, the same bytes, and what is refused."""

import torch

from tests.messages import raises
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
        (torch.nn.Linear(2, 4), "Linear: 2 ... shape ... weight"),
        (torch.nn.Linear(2, 3, bias=False), "Linear: 1 ... unknown ... bias"),
        (torch.nn.BatchNorm1d(3), "BatchNorm1d: 3 ... missing ... running_mean ... 1 ... shape"),
    ):
        with raises(artifacts.ContractError, "w.safetensors", fault):
            training.load_weights(tmp_path / "w.safetensors", network)
    (tmp_path / "w.safetensors").write_bytes(b"half")
    with raises(artifacts.ContractError, "w.safetensors", "damaged", "4 bytes"):
        training.load_weights(tmp_path / "w.safetensors", torch.nn.Linear(2, 3))


def test_no_weights_file(tmp_path):
    with raises(artifacts.ContractError, "w.safetensors", "damaged"):
        training.read_provenance(tmp_path / "w.safetensors")
