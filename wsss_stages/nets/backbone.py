"""A network with the places where its feature maps are taken from."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from wsss_stages.nets.inputs import IMAGENET, Inputs, renormalise


class Backbone(nn.Module):
    """A network and its taps: modules whose outputs are the feature maps.

    forward: (b, 3, h, w) RGB as `normalise` leaves it to maps (b, d_k, h_k, w_k); the last has the coarsest stride. The network
    sees the image by the mean and deviation of its own training, which are saved with its weights.
    """

    def __init__(
        self,
        name: str,
        network: nn.Module,
        run: Callable,
        taps: list[nn.Module],
        hub: str,
        frozen_norm: bool,
        converted: Callable[[dict[str, Tensor]], dict[str, Tensor]] = dict,
        inputs: Inputs = IMAGENET,
    ):
        """`converted` brings a checkpoint under the names of the network."""
        super().__init__()
        self.name, self.hub, self.frozen_norm, self.converted = name, hub, frozen_norm, converted
        self.inputs = inputs
        for statistic, values in (("mean", inputs.mean), ("deviation", inputs.deviation)):
            self.register_buffer(statistic, torch.tensor(values).view(1, 3, 1, 1))
        self.network, self._run = network, lambda image: run(image)  # wrapped: `run` may be `network`, held once
        self._maps: list[Tensor] = []
        for tap in taps:
            tap.register_forward_hook(lambda _module, _inputs, output: self._maps.append(output))
        training = self.training
        with torch.no_grad():
            self.dims = [m.shape[1] for m in self.eval()(torch.zeros(1, 3, 64, 64))]
        self.train(training)

    def forward(self, image: Tensor) -> list[Tensor]:
        self._maps = []
        self._run(renormalise(image, self.mean, self.deviation))
        maps, self._maps = self._maps, []
        return maps

    def train(self, mode: bool = True) -> "Backbone":
        """Batch norm of pretrained weights stays frozen: its statistics, or the identity of a folded one, are kept."""
        super().train(mode)
        if self.frozen_norm:
            for module in self.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self
