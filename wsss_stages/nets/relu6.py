"""ReLU6 that overwrites its input and keeps only its output for the backward pass, which the next layer keeps anyway."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


class ReLU6(nn.ReLU6):
    """min(max(x, 0), 6) in place; PyTorch's own in-place version keeps a copy of its input.

    The layer before it must not need its output for its own gradient: convolutions and batch norm do not.
    """

    def forward(self, input: Tensor) -> Tensor:
        return _ReLU6.apply(input)


class _ReLU6(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        F.relu6(x, inplace=True)
        ctx.mark_dirty(x)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        (out,) = ctx.saved_tensors
        return torch.ops.aten.hardtanh_backward(grad, out, 0.0, 6.0)
