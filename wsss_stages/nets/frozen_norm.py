"""Frozen batch norm as part of the convolution before it, so that the backward pass needs nothing of it."""

from itertools import pairwise

from torch import Tensor, nn

from wsss_stages.nets.depthwise import DilatedDepthwise


def fold_norms(network: nn.Module) -> None:
    r"""Let every convolution whose next sibling is a batch norm compute both, for a norm that stays in eval mode.

    :math:`\gamma (W * x - \mu) / \sigma + \beta = (\gamma / \sigma) W * x + (\beta - \gamma \mu / \sigma)`: the filters are
    scaled at every call, so W, γ and β keep their names and their exact gradients, but of each pair's two activations one
    is left. `network` registers its modules in the order of the data.

    The modules stay and change their class: new ones would have to take over parameters, statistics and the hooks that pad, of
    either kind of convolution, and say no more.
    """
    for module in network.modules():
        for conv, norm in pairwise(module.children()):
            if type(conv) in _FOLDED and conv.bias is None and type(norm) is nn.BatchNorm2d:
                conv.__class__, norm.__class__ = _FOLDED[type(conv)], FoldedNorm
                conv.norm = (norm,)  # a tuple, or the norm's parameters would have two names


class FoldedNorm(nn.BatchNorm2d):
    """A store of parameters and statistics, which the convolution before it applies."""

    def forward(self, input: Tensor) -> Tensor:
        return input


class _Folded(nn.Conv2d):
    def forward(self, input: Tensor) -> Tensor:
        (norm,) = self.norm
        scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
        return self._conv_forward(input, self.weight * scale.view(-1, 1, 1, 1), norm.bias - norm.running_mean * scale)


class _FoldedDepthwise(_Folded, DilatedDepthwise):
    pass


_FOLDED = {nn.Conv2d: _Folded, DilatedDepthwise: _FoldedDepthwise}
