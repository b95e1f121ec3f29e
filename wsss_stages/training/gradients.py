"""The gradient of one batch: part after part, over all processes, and checked to be finite."""

from contextlib import nullcontext
from math import inf

import torch
from torch import nn
from torch.optim import Optimizer

from wsss_stages.training.batches import to_device
from wsss_stages.training.checkpoints import State
from wsss_stages.training.job import Job, TrainingError
from wsss_stages.training.processes import Group
from wsss_stages.training.sampling import step_seed
from wsss_stages.training.shares import rows


class Gradients:
    """A computation that leaves the clipped gradient of a batch's mean loss in the parameters of a job's network."""

    def __init__(self, job: Job, network: nn.Module, optimizer: Optimizer, group: Group, device: str):
        self.job, self.network, self.group, self.device = job, network, group, device
        self.parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        kind = torch.device(device).type
        half = job.options.precision == "bfloat16" or (job.options.precision == "auto" and kind == "cuda")
        self.autocast = torch.autocast(kind, torch.bfloat16) if half else nullcontext()

    def compute(self, batch: dict, state: State) -> dict[str, float]:
        """Return the terms of a batch's loss; a batch that does not fit into memory is split into more parts from then on.

        Args:
            batch: this process's items.
        Raises: TrainingError for NaN or infinity; TooLargeError where not one image fits.
        """
        before = [buffer.clone() for buffer in self.network.buffers()]
        while True:
            torch.manual_seed(step_seed(self.job, state.step))
            for parameter in self.parameters:
                parameter.grad = None
            try:
                terms = self._add_up(batch, state)
                break
            except torch.OutOfMemoryError as error:
                if self.group.size > 1:  # the others wait for this one's share and cannot begin again
                    raise TrainingError(
                        f"{self.job.stage}: process {self.group.rank} of {self.group.size} is out of GPU memory at step "
                        f"{state.step}. Use more gpus_per_training, a smaller batch_size or a smaller crop; only a single process can split a batch."
                    ) from error
            for buffer, old in zip(self.network.buffers(), before, strict=True):
                buffer.copy_(old)
            state.parts.double(self.job.stage, state.step, self.job.batch, most=self.job.batch)
        self.group.add_gradients(self.parameters)
        norm = nn.utils.clip_grad_norm_(self.parameters, self.job.options.clip_norm or inf)
        if not norm.isfinite():
            raise TrainingError(self._fault("the gradient is not finite", state, _ids(self.group.gather(batch["id"]))))
        return terms

    def _add_up(self, batch: dict, state: State) -> dict[str, float]:
        terms: dict[str, float] = {}
        at = 0
        for part in rows(self.job.batch, state.parts.number, self.group.rank, self.group.size):
            items = {name: v if isinstance(v, int) else v[at : at + part.count] for name, v in batch.items()}
            at += part.count
            self.group.rows = part
            with self.autocast:
                items = {name: to_device(value, self.device) for name, value in items.items()}
                losses = self.job.loss(items | {"done": state.step / self.job.steps})
            total = torch.stack([value.float() for name, value in losses.items() if name not in self.job.shown]).sum()
            share = part.count / self.job.batch
            shown = {name: value if name in self.job.shown else value.item() for name, value in losses.items()}
            gathered = self.group.gather((shown, share, bool(total.isfinite()), items["id"]))
            for shown, _, finite, ids in gathered:
                if not finite:
                    raise TrainingError(self._fault(f"the loss is {shown}", state, ids))
            (total * share).backward()
            for shown, share, _, _ in gathered:
                for name, value in shown.items():
                    terms[name] = terms.get(name, 0.0) + value * share
        return terms

    def _fault(self, what: str, state: State, ids: list[str]) -> str:
        return (
            f"{self.job.stage}: {what} at step {state.step} of {self.job.steps}, images {', '.join(ids)}. Nothing was "
            "written from it. A lower lr or precision float32 helps. Check that the initial weights are intact."
        )


def _ids(batches: list[list[str]]) -> list[str]:
    return [name for ids in batches for name in ids]
