"""Frozen batch norm as part of the convolution before it, so that the backward pass needs nothing of it."""

from itertools import pairwise

from torch import Tensor, nn

from wsss_stages.nets.depthwise import DilatedDepthwise
from wsss_stages.nets.padding import PaddedConv
from wsss_stages.nets.replace import convolution_as


def fold_norms(network: nn.Module) -> None:
    r"""Let every convolution whose next sibling is a batch norm compute both, for a norm that stays in eval mode.

    :math:`\gamma (W * x - \mu) / \sigma + \beta = (\gamma / \sigma) W * x + (\beta - \gamma \mu / \sigma)`: the filters are
    scaled at every call, so W, γ and β keep their names and their exact gradients, but of each pair's two activations one
    is left. `network` registers its modules in the order of the data.

    Both are replaced by modules with the very same parameters and statistics. Raises ValueError for a convolution with hooks.
    """
    for parent in list(network.modules()):
        for (conv_name, conv), (norm_name, norm) in pairwise(list(parent.named_children())):
            frozen = type(norm) is nn.BatchNorm2d
            if frozen and isinstance(conv, nn.Conv2d) and type(conv) in _FOLDED and conv.bias is None:
                folded = FoldedNorm(norm)
                setattr(parent, norm_name, folded)
                setattr(parent, conv_name, convolution_as(_FOLDED[type(conv)], conv).with_norm(folded))


class FoldedNorm(nn.BatchNorm2d):
    """A store of a batch norm's parameters and statistics, which the convolution before it applies."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, norm: nn.BatchNorm2d):
        super().__init__(norm.num_features, norm.eps, norm.momentum, device="meta")
        self.weight, self.bias = norm.weight, norm.bias
        assert norm.running_mean is not None and norm.running_var is not None
        self.running_mean, self.running_var = norm.running_mean, norm.running_var
        self.num_batches_tracked = norm.num_batches_tracked
        self.train(norm.training)

    def forward(self, input: Tensor) -> Tensor:
        return input


class FoldedConv(nn.Conv2d):
    """A convolution that computes the frozen norm after it, too."""

    norm: tuple[FoldedNorm]
    """A tuple, or the norm's parameters would have two names."""

    def with_norm(self, norm: FoldedNorm) -> "FoldedConv":
        """Return the convolution, with the norm that it computes."""
        self.norm = (norm,)
        return self.train(norm.training)

    def forward(self, input: Tensor) -> Tensor:
        (norm,) = self.norm
        scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
        return self._conv_forward(input, self.weight * scale.view(-1, 1, 1, 1), norm.bias - norm.running_mean * scale)


class _FoldedDepthwise(FoldedConv, DilatedDepthwise):
    pass


class _FoldedPadded(FoldedConv, PaddedConv):
    pass


_FOLDED: dict[type, type[FoldedConv]] = {
    nn.Conv2d: FoldedConv,
    DilatedDepthwise: _FoldedDepthwise,
    PaddedConv: _FoldedPadded,
}
