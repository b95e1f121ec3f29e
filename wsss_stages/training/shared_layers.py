"""Layers over a whole batch, for several processes: each computes and draws the same as a single process.

Batch norm takes mean and variance over the items of all processes (as torch's SyncBatchNorm, which is for GPUs only, and would
replace norms that a convolution computes, see nets.frozen_norm). Dropout draws for the items of all and keeps its own.
Layers are replaced by others under their names, with their parameters.
"""

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from wsss_stages.nets.replace import replace
from wsss_stages.training.processes import Group


def share(network: nn.Module, group: Group) -> None:
    """Let batch norms and dropouts of a network work over all processes of a group."""
    if group.size > 1:
        replace(network, lambda layer: type(layer) in _SHARED, lambda layer: _SHARED[type(layer)](layer, group))


class SharedNorm(nn.modules.batchnorm._BatchNorm):
    """Batch norm over all processes; in eval mode as ever."""

    momentum: float
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, norm: nn.BatchNorm1d | nn.BatchNorm2d, group: Group):
        super().__init__(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
        self.group, self.weight, self.bias = group, norm.weight, norm.bias
        for name, buffer in norm.named_buffers(recurse=False):
            setattr(self, name, buffer)

    def _check_input_dim(self, input: Tensor) -> None:
        """Accept any number of axes."""

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        x = input.float()
        over, per_channel = (0, *range(2, x.ndim)), (1, -1, *[1] * (x.ndim - 2))
        values = x.new_tensor([x.numel() / x.shape[1]])
        total, count = _Sum.apply(torch.cat([x.sum(over), values])).split([x.shape[1], 1])
        mean = total / count
        centred = x - mean.view(per_channel)
        var = _Sum.apply(centred.square().sum(over)) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var * count / (count - 1), self.momentum)
        scale = (var + self.eps).rsqrt() * self.weight
        return (centred * scale.view(per_channel) + self.bias.view(per_channel)).to(input.dtype)


class _SharedDropout(nn.modules.dropout._DropoutNd):
    def __init__(self, dropout: nn.Dropout | nn.Dropout2d, group: Group):
        super().__init__(dropout.p, dropout.inplace)
        self.group = group

    def forward(self, input: Tensor) -> Tensor:
        rows = self.group.rows
        if not self.training or len(input) != rows.count:
            return super().forward(input)
        drawn = super().forward(_ones(input, rows.of))
        return input * drawn[rows.start : rows.end]


class SharedDropout(_SharedDropout, nn.Dropout):
    """Dropout of single values."""


class SharedDropout2d(_SharedDropout, nn.Dropout2d):
    """Dropout of whole channels."""


def _ones(input: Tensor, items: int) -> Tensor:
    """Return ones for `count` items in the shape of an input for some, in the same order in memory, in which random
    numbers are drawn.
    """
    last = input.ndim == 4 and not input.is_contiguous() and input.is_contiguous(memory_format=torch.channels_last)
    ones = input.new_ones(items, *input.shape[1:])
    return ones.contiguous(memory_format=torch.channels_last) if last else ones


class _Sum(torch.autograd.Function):
    """The sum over processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        total = x.contiguous().clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total


_SHARED = {
    nn.BatchNorm1d: SharedNorm,
    nn.BatchNorm2d: SharedNorm,
    nn.Dropout: SharedDropout,
    nn.Dropout2d: SharedDropout2d,
}
