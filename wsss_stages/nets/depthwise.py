"""Dilated depthwise convolution with a fast backward on the CPU."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def is_dilated_depthwise(module: nn.Module) -> bool:
    """Return whether a module is a plain convolution, dilated, of one filter a channel."""
    return (
        type(module) is nn.Conv2d
        and module.dilation != (1, 1)
        and module.groups == module.in_channels == module.out_channels
    )


class DilatedDepthwise(nn.Conv2d):
    """nn.Conv2d for one filter a channel; on the CPU its gradients take a quarter of the time.

    oneDNN has fast kernels for the forward of dilated depthwise filters and none for their backward. The gradient of the
    input is such a forward, with the filters turned round; that of the filters is one product per tap.
    """

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        plain = self.stride == (1, 1) and not torch.is_autocast_enabled(input.device.type)
        if input.device.type != "cpu" or not plain:
            return super()._conv_forward(input, weight, bias)
        return _Depthwise.apply(input, weight, bias, self.padding, self.dilation)


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, padding, dilation):
        ctx.save_for_backward(x, weight)
        ctx.padding, ctx.dilation, ctx.bias = padding, dilation, bias is not None
        return F.conv2d(x, weight, bias, 1, padding, dilation, weight.shape[0])

    @staticmethod
    def backward(ctx, grad):
        x, weight = ctx.saved_tensors
        by_x = by_weight = by_bias = None
        grad = grad.contiguous(memory_format=torch.channels_last)
        if ctx.needs_input_grad[0]:
            turned = [d * (k - 1) - p for d, k, p in zip(ctx.dilation, weight.shape[2:], ctx.padding, strict=True)]
            by_x = F.conv2d(grad, weight.flip(2, 3), None, 1, turned, ctx.dilation, weight.shape[0])
        if ctx.needs_input_grad[1]:
            (py, px), (dy, dx) = ctx.padding, ctx.dilation
            padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, px, px, py, py))
            out = grad.permute(0, 2, 3, 1)
            h, w = out.shape[1:3]
            taps = [
                (padded[:, i * dy : i * dy + h, j * dx : j * dx + w] * out).sum((0, 1, 2))
                for i in range(weight.shape[2])
                for j in range(weight.shape[3])
            ]
            by_weight = torch.stack(taps, 1).view_as(weight)
        if ctx.bias and ctx.needs_input_grad[2]:
            by_bias = grad.sum((0, 2, 3))
        return by_x, by_weight, by_bias, None, None
