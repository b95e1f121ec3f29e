"""Several processes that train one network, each on its own GPU or CPU core: their ranks and what they exchange.

`torchrun` starts them and says so in the environment; without it there is one. Gradients are summed by hand, not by a
wrapper around the network: losses call parts of networks, and several times a step.

All processes draw a step's random numbers from the same seed. Dropout and batch norm are those of the whole batch
(training.shared_layers), so where a loss is a mean over images, as the classifier's and the object network's, its curve
is that of one process. A mean over labelled pixels, pairs or proposals is taken over each process's images, and the
means are weighted by the number of images; other random draws of networks (Mask R-CNN's samples, CANet's forgetting)
repeat in every process.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import nn

from wsss_stages.training.shares import Rows

PATIENCE = timedelta(hours=2)
"""Time that processes wait for the first one, which grades the network after an epoch."""


def is_leader() -> bool:
    """Return whether this process is the one that writes files and reports progress."""
    return int(os.environ.get("RANK", 0)) == 0


class Group:
    """This process among those that train together."""

    def __init__(self) -> None:
        self.rank, self.size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        self.rows = Rows(0, 0, 0, 0)
        """The process's own items of the part that goes through the network now."""

    @property
    def is_leader(self) -> bool:
        """Return whether this process writes files and reports progress."""
        return self.rank == 0

    def gather(self, value: object) -> list:
        """Return the values of all processes, the first one's first."""
        if self.size == 1:
            return [value]
        heard: list = [None] * self.size
        dist.all_gather_object(heard, value)
        return heard

    def make_same(self, network: nn.Module) -> None:
        """Give all processes the first one's parameters and buffers."""
        for tensor in network.state_dict().values() if self.size > 1 else ():
            sent = tensor.contiguous()
            dist.broadcast(sent, 0)
            tensor.copy_(sent)

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by the sum over processes; one that no process has stays None."""
        if self.size == 1:
            return
        learned = [p for p in parameters if p.requires_grad]
        has = learned[0].new_tensor([p.grad is not None for p in learned])
        flat = torch.cat(
            [has, *(torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten() for p in learned)]
        )
        dist.all_reduce(flat)
        has, *sums = flat.split([len(learned), *(p.numel() for p in learned)])
        for parameter, whether, total in zip(learned, has.tolist(), sums, strict=True):
            parameter.grad = total.view_as(parameter) if whether else None


@contextmanager
def together(device: str) -> Iterator[Group]:
    """Yield the group of this training; it ends with the block."""
    group = Group()
    if group.size == 1:
        yield group
        return
    torch.set_num_threads(max(1, torch.get_num_threads() // int(os.environ.get("LOCAL_WORLD_SIZE", 1))))
    if torch.device(device).type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.startswith("cuda") else "gloo", timeout=PATIENCE)
    try:
        yield group
    finally:
        dist.destroy_process_group()
