"""Pick the device, set how it computes, and move networks to it."""

import os
import re
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from wsss_stages.store import locks, provenance


def pick(text: str) -> str:
    """Return the device: `auto` is cuda if there is one, else cpu; of several GPUs one that no other stage uses, and under
    torchrun one for every process; other texts as they are.

    Exits if the device does not exist.
    """
    import torch

    device = _there(text)
    if device != "cpu":
        torch.set_float32_matmul_precision("high")  # TF32, which convolutions have by default
        torch.backends.cudnn.benchmark = True
    provenance.tell(
        device=torch.cuda.get_device_name(device) if device != "cpu" else f"cpu, {torch.get_num_threads()} threads"
    )
    return device


def move(network, device: str) -> None:
    """Move a network to a device, with channels last in memory, as convolutions are fastest; on a GPU its backbones pad images to few sizes."""
    import torch

    from wsss_stages.nets import buckets
    from wsss_stages.nets.backbone import Backbone

    network.to(device, memory_format=torch.channels_last)
    for module in network.modules():
        if isinstance(module, Backbone) and device != "cpu":
            module.bucket = buckets.SIDE


def _there(text: str) -> str:
    """Return the device that a text means. Exits if there is none."""
    import torch

    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", text):
        sys.exit(f"device {text!r} is not known; wanted auto, cpu, cuda or cuda:N")
    if text == "auto":
        text = "cuda" if torch.cuda.is_available() else "cpu"
    if text == "cpu":
        return text
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if not found:
        sys.exit(
            f"device {text} was requested, but torch {torch.__version__} sees no CUDA device; use --device cpu or auto"
        )
    processes = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    if processes > 1 and (":" in text or processes > found):
        sys.exit(
            f"device {text} was requested by {processes} processes, and torch sees {found} GPUs; wanted --device cuda and a GPU for "
            "each process. gpus_per_training is more than this machine has, or more than `gpu` of the profile."
        )
    if processes > 1:
        _compare(processes)
        return f"cuda:{os.environ['LOCAL_RANK']}"
    if found > 1 and ":" not in text:
        return f"cuda:{_unused(found)}"
    if int(text.partition(":")[2] or 0) >= found:
        sys.exit(f"device {text} was requested, but torch sees {found} GPUs, of which the last is cuda:{found - 1}")
    return text


def _unused(found: int) -> int:
    """Return the first GPU that no stage on this machine uses, which belongs to this process until it ends; where all are in use any one."""
    import torch

    folder = Path(tempfile.gettempdir()) / f"wsss_gpus_{os.getuid()}"
    for number in range(found):
        with suppress(locks.InUseError):
            locks.take(folder / str(torch.cuda.get_device_properties(number).uuid))
            return number
    return os.getpid() % found


def _compare(processes: int) -> None:
    """Report, by the first process, GPUs of different kinds that train one network together."""
    import torch

    names = dict.fromkeys(torch.cuda.get_device_name(number) for number in range(processes))
    if len(names) > 1 and os.environ["LOCAL_RANK"] == "0":
        sys.stderr.write(
            f"note: one training runs on GPUs of different kinds ({', '.join(names)}). Every step waits for the slowest, and each must hold "
            "an equal share of the batch. CUDA_VISIBLE_DEVICES chooses GPUs of one kind.\n"
        )
