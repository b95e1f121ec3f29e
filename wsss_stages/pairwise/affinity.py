"""Affinity of neighbours: D(i, j) = exp(-mean |F(i) - F(j)|) over a window (Eq. 3.8)."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from wsss_stages.pairwise.windows import look, padded, reach

CACHE_NUMBERS = 400_000
"""Features are compared in blocks of channels of about this many numbers, which stay in a core's cache."""


class _MeanAbsoluteDifference(torch.autograd.Function):
    """Nothing of the size (n, d, h, w) is stored: backward compares again."""

    @staticmethod
    def forward(ctx, features: Tensor, window: tuple[tuple[int, int], ...]) -> Tensor:
        features = features.contiguous()  # with channels last a block of channels is scattered over all memory
        b, d, h, w = features.shape
        r = reach(list(window))
        total = features.new_zeros(len(window), b, h, w)
        for _, around, centre in _blocks(features, r):
            for number, (dy, dx) in enumerate(window):
                total[number] += (centre - look(around, r, dy, dx)).abs_().sum(dim=1)
        ctx.save_for_backward(features)
        ctx.window = window
        return total.div_(d).transpose(0, 1).contiguous()

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor):
        (features,) = ctx.saved_tensors
        window, d = ctx.window, features.shape[1]
        r = reach(list(window))
        gradient = (gradient / d).transpose(0, 1).unsqueeze(2).contiguous()  # n b 1 h w
        result = torch.empty_like(features)
        for block, around, centre in _blocks(features, r):
            back = torch.zeros_like(around)
            own = look(back, r, 0, 0)
            for number, (dy, dx) in enumerate(window):
                push = (centre - look(around, r, dy, dx)).sign_().mul_(gradient[number])
                own += push
                look(back, r, dy, dx).sub_(push)
            result[:, block] = own
        return result, None


def mean_absolute_difference(
    features: Float[Tensor, "b d h w"], window: list[tuple[int, int]]
) -> Float[Tensor, "b n h w"]:
    """Return the mean over channels of |F(i) - F(j)| for the neighbours of a window; beyond the border F is 0."""
    return _MeanAbsoluteDifference.apply(features, tuple(window))


def affinity(features: Float[Tensor, "b d h w"], window: list[tuple[int, int]]) -> Float[Tensor, "b n h w"]:
    """Return D(i, j) of Eq. 3.8 in (0, 1]; the caller masks neighbours beyond the border."""
    return torch.exp(-mean_absolute_difference(features, window))


@torch.no_grad()
def squared_difference(features: Float[Tensor, "b d h w"], window: list[tuple[int, int]]) -> Float[Tensor, "b n h w"]:
    """Return the sum over channels of (F(i) - F(j))², without gradient; beyond the border F is 0."""
    features = features.contiguous()
    b, _, h, w = features.shape
    r = reach(window)
    total = features.new_zeros(len(window), b, h, w)
    for _, around, centre in _blocks(features, r):
        for number, (dy, dx) in enumerate(window):
            total[number] += (centre - look(around, r, dy, dx)).square_().sum(dim=1)
    return total.transpose(0, 1).contiguous()


def _blocks(features: Tensor, r: int) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Yield blocks of channels: which, with a border of r nodes around them, and without."""
    b, d, h, w = features.shape
    size = max(1, CACHE_NUMBERS // (b * h * w))
    for block in (slice(start, start + size) for start in range(0, d, size)):
        around = padded(features[:, block], r, 0.0)
        yield block, around, look(around, r, 0, 0)
