"""Folded batch norms separated from the filters again, so that one learning rate suits all layers."""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsss_stages.nets.backbone import Backbone
from wsss_stages.nets.frozen_norm import FoldedConv

LONGEST = 4.0
"""Times the median length of a layer's new filters: those of channels that hardly vary, or never, grow no longer."""


def unfold_norms(backbone: Backbone, images: Iterable[Float[Tensor, "1 3 _ _"]]) -> int:
    r"""Give every layer whose batch norm is the identity filters with outputs of deviation 1; the function stays the same.

    With m and s the mean and deviation of a channel of :math:`y = W * x + b` over the images, the filters become
    :math:`W / s` and the norm :math:`\gamma = s, \mu = (m - b) / s, \sigma = 1, \beta = m`.

    Args:
        images: normalised as `normalise` does; they are looked at only where a norm is the identity.

    Returns: the number of images used, 0 where no norm is the identity.
    """
    layers = [m for m in backbone.modules() if isinstance(m, FoldedConv) and _is_identity(m)]
    if not layers:
        return 0
    statistics = [_Statistics(conv) for conv in layers]
    training = backbone.training
    backbone.eval()
    with torch.no_grad():
        count = sum(backbone(image) is not None for image in images)
    backbone.train(training)
    for conv, measured in zip(layers, statistics, strict=True):
        measured.handle.remove()
        if count:
            _rescale(conv, *measured.moments())
    return count


class _Statistics:
    """Sums over the outputs of a layer, of each channel."""

    def __init__(self, conv: nn.Conv2d):
        self.sums = torch.zeros(2, conv.out_channels, dtype=torch.float64)
        self.count = 0
        self.handle = conv.register_forward_hook(self._add)

    def _add(self, _conv: nn.Module, _inputs: tuple, output: Tensor) -> None:
        values = output.double()
        self.sums += torch.stack([values.sum(dim=(0, 2, 3)), values.square().sum(dim=(0, 2, 3))])
        self.count += values[:, 0].numel()

    def moments(self) -> tuple[Float[Tensor, "d"], Float[Tensor, "d"]]:
        """Return mean and deviation of each channel."""
        mean, square = self.sums / self.count
        return mean, (square - mean.square()).clamp(min=0).sqrt()


@torch.no_grad()
def _rescale(conv: FoldedConv, mean: Float[Tensor, "d"], deviation: Float[Tensor, "d"]) -> None:
    (norm,) = conv.norm
    scale = (norm.running_var.double() + norm.eps).rsqrt()  # 1 to rounding
    bias = norm.bias.double() - norm.running_mean.double() * scale * norm.weight.double()
    filters = conv.weight.double() * (norm.weight.double() * scale).view(-1, 1, 1, 1)
    unit = _units(filters.flatten(1).norm(dim=1), deviation)
    conv.weight.copy_(filters / unit.view(-1, 1, 1, 1))
    norm.weight.copy_(unit)
    norm.running_mean.copy_((mean - bias) / unit)
    norm.running_var.fill_(1 - norm.eps)
    norm.bias.copy_(mean)


def _units(lengths: Float[Tensor, "d"], deviation: Float[Tensor, "d"]) -> Float[Tensor, "d"]:
    """Return the divisors of the filters: the deviation, or more where a filter would be far longer than the layer's
    others.
    """
    varied = deviation > 0
    if not varied.any():
        return torch.ones_like(deviation)
    longest = LONGEST * (lengths / deviation)[varied].median()
    unit = deviation.maximum(lengths / longest)
    return torch.where(unit > 0, unit, 1.0)


def _is_identity(conv: FoldedConv) -> bool:
    """Return whether the frozen norm that a convolution also computes neither scales nor centres: a folded one with its bias."""
    (norm,) = conv.norm
    return bool(
        (norm.weight == 1).all() and (norm.running_mean == 0).all() and ((norm.running_var - 1).abs() < 1e-3).all()
    )
