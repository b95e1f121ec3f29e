"""Two processes under torchrun learn what one does from the same batches."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.messages import raises
from wsss_stages import training
from wsss_stages.training import shares

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("shared.py")
LAUNCH = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


def shared():
    """The script as a module."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("shared", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def curve(folder):
    return [step["squared"] for step in json.loads((folder / "curve.json").read_text())["steps"]]


@pytest.mark.parametrize("name, parts", [("plain", 1), ("norm", 2)])
def test_two_processes_learn_what_one_does(tmp_path, name, parts):
    one, two = tmp_path / "one", tmp_path / "two"
    training.fit(shared().job(name, parts), one / "weights.safetensors", {}, "cpu")
    subprocess.run([*LAUNCH, SCRIPT, two, name, str(parts)], check=True, env=ENVIRONMENT, capture_output=True)
    assert len(curve(one)) == 8 and curve(one)[-1] < curve(one)[0]
    assert curve(two) == pytest.approx(curve(one), rel=1e-5, abs=1e-5)
    weights = [load_file(folder / "weights.safetensors") for folder in (one, two)]
    for tensor, state in weights[0].items():
        torch.testing.assert_close(weights[1][tensor], state, rtol=1e-4, atol=1e-5, msg=tensor)
    assert sorted(p.name for p in two.iterdir()) == ["curve.json", "kept", "weights.safetensors"]


def test_more_processes_than_images_in_a_batch_are_reported():
    with raises(ValueError, "batch of 2", "3 processes", "batch_size", "gpus_per_training"):
        shares.rows(2, 1, 0, 3)


@pytest.mark.parametrize("batch, parts, processes", [(5, 1, 2), (8, 3, 2), (7, 4, 3), (4, 4, 4), (6, 1, 1), (3, 5, 1)])
def test_every_item_of_a_batch_belongs_to_one_process_and_parts_stay(batch, parts, processes):
    places = list(range(batch))
    shares_of_ranks = [shares.rows(batch, parts, rank, processes) for rank in range(processes)]
    assert sorted(p for own in shares_of_ranks for p in shares.own(places, own)) == places
    assert all(row.count >= 1 for own in shares_of_ranks for row in own)
    assert all(
        [(row.first, row.of) for row in own] == [(row.first, row.of) for row in shares_of_ranks[0]]
        for own in shares_of_ranks
    )
    if batch // parts >= processes:
        assert [(row.first, row.of) for row in shares_of_ranks[0]] == [
            (row.first, row.of) for row in shares.rows(batch, parts)
        ]
