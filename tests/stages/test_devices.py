"""A device that is not there is reported before anything is read."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from tests.messages import raises
from wsss_stages.nets import backbones, buckets
from wsss_stages.stages import devices


@pytest.fixture
def gpus(monkeypatch, tmp_path):
    """Pretend so many GPUs, and torchrun's processes."""

    def pretend(count, processes=None, rank=0, names=("H200",)):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(
            torch.cuda, "get_device_name", lambda k: names[k if isinstance(k, int) and k < len(names) else 0]
        )
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda k: SimpleNamespace(uuid=f"card-{k}"))
        monkeypatch.setattr(devices.tempfile, "gettempdir", lambda: str(tmp_path))
        for name, value in (("LOCAL_WORLD_SIZE", processes), ("LOCAL_RANK", processes and rank)):
            monkeypatch.delenv(name, raising=False)
            if value is not None:
                monkeypatch.setenv(name, str(value))

    return pretend


@pytest.mark.parametrize(
    "count, processes, text, picked",
    [
        (0, None, "auto", "cpu"), (1, None, "auto", "cuda"), (2, None, "auto", "cuda:0"), (2, None, "cuda", "cuda:0"), (2, None, "cuda:1", "cuda:1"),
        (2, None, "cpu", "cpu"), (2, 2, "auto", "cuda:1"), (2, 2, "cuda", "cuda:1"), (0, 2, "auto", "cpu"), (2, 2, "cpu", "cpu"),
    ],
)  # fmt: skip
def test_a_device_that_is_there_is_picked_and_every_process_gets_its_own(gpus, count, processes, text, picked):
    gpus(count, processes, rank=1)
    assert devices.pick(text) == picked


@pytest.mark.parametrize(
    "count, processes, text, words",
    [
        (0, None, "cuda", ["device cuda", torch.__version__, "--device cpu"]),
        (2, None, "cuda:2", ["device cuda:2", "2 GPUs", "cuda:1"]),
        (2, None, "gpu", ["device 'gpu'", "auto, cpu, cuda or cuda:N"]),
        (2, 4, "auto", ["device cuda", "4 processes", "2 GPUs", "--device cuda", "gpus_per_training"]),
        (2, 2, "cuda:0", ["device cuda:0", "2 processes", "--device cuda", "gpus_per_training"]),
    ],
)
def test_a_device_that_is_not_there_is_reported(gpus, count, processes, text, words):
    gpus(count, processes)
    with raises(SystemExit, *words):
        devices.pick(text)


def test_a_gpu_computes_in_tf32_with_the_fastest_plan_of_every_convolution(gpus, monkeypatch):
    found = {}
    monkeypatch.setattr(torch, "set_float32_matmul_precision", lambda name: found.update(precision=name))
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)
    gpus(1)
    devices.pick("cpu")
    assert not found and not torch.backends.cudnn.benchmark
    devices.pick("cuda")
    assert found == {"precision": "high"} and torch.backends.cudnn.benchmark


@pytest.mark.parametrize("device, side", [("cpu", 0), ("meta", buckets.SIDE)])
def test_images_are_padded_to_few_sizes_on_a_gpu_alone(device, side):
    backbone = backbones.build("tiny", 8, False)
    devices.move(torch.nn.Sequential(backbone), device)
    assert backbone.bucket == side


HOLDER = """
import sys
from pathlib import Path
from wsss_stages.store import locks
locks.take(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_stage_takes_a_gpu_that_no_other_process_uses(gpus, tmp_path):
    gpus(3)
    folder = tmp_path / f"wsss_gpus_{devices.os.getuid()}"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder / "card-0")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout and other.stdout.readline() == "held\n"
        assert devices.pick("auto") == "cuda:1" == devices.pick("cuda")
        gpus(1)
        assert devices.pick("auto") == "cuda"
        other.communicate("")
    gpus(3)
    assert devices.pick("auto") == "cuda:0"


def test_where_all_gpus_are_in_use_they_are_shared(gpus, monkeypatch):
    gpus(3)

    def refuse(path):
        raise devices.locks.InUseError(str(path))

    monkeypatch.setattr(devices.locks, "take", refuse)
    monkeypatch.setattr(devices.os, "getpid", lambda: 8)
    assert devices.pick("auto") == "cuda:2"


@pytest.mark.parametrize(
    "names, rank, said", [(("H200", "T4"), 0, True), (("H200", "T4"), 1, False), (("H200", "H200"), 0, False)]
)
def test_gpus_of_different_kinds_that_train_together_are_reported_once(gpus, capsys, names, rank, said):
    gpus(2, processes=2, rank=rank, names=names)
    assert devices.pick("cuda") == f"cuda:{rank}"
    text = capsys.readouterr().err
    assert bool(text) == said and (not said or all(word in text for word in ("H200", "T4", "CUDA_VISIBLE_DEVICES")))
