"""A network with its feature maps, and where their nodes lie in the image."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from wsss_stages.nets import buckets
from wsss_stages.nets.grid import Grid
from wsss_stages.nets.inputs import IMAGENET, Inputs, renormalise
from wsss_stages.nets.padding import first_pixel

SIDE = 64
"""Side of the image on which a network is inspected, a multiple of every stride."""

State = dict[str, Tensor]
Strided = nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d


class Backbone(nn.Module):
    """A network and the function that gives its feature maps.

    forward: (b, 3, h, w) RGB as `normalise` leaves it to maps (b, d_k, h_k, w_k); the last has the coarsest stride. Images
    are normalised with the mean and deviation of the network's own training, which are saved with its weights.
    grids: where the nodes of each map lie.
    bucket: on a GPU, what sides of images are padded to multiples of where nothing is learned (nets.buckets); 0: images stay as they are.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        name: str,
        network: nn.Module,
        maps_of: Callable[[Any, Tensor], list[Tensor]],
        hub: str,
        frozen_norm: bool,
        converted: Callable[[nn.Module, State], State] = lambda network, state: dict(state),
        inputs: Inputs = IMAGENET,
        whole_strides: bool = False,
        strides: Sequence[int] = (),
    ):
        """
        Args:
            maps_of: the network's maps of an image. It keeps nothing: forwards may run within and beside each other.
            frozen_norm: the weights are pretrained.
            converted: brings a checkpoint under the names of the network, which is given first.
            whole_strides: images are padded with 0 at the right and the bottom to a multiple of the coarsest stride.
            strides: of maps whose nodes are the centres of cells; (): the maps are looked at.
        """
        super().__init__()
        self.name, self.hub, self.frozen_norm = name, hub, frozen_norm
        self.inputs, self._multiple, self.bucket = inputs, 1, 0
        for statistic, values in (("mean", inputs.mean), ("deviation", inputs.deviation)):
            self.register_buffer(statistic, torch.tensor(values).view(1, 3, 1, 1))
        self.network, self._maps_of, self._converted = network, maps_of, converted
        training = self.training
        maps, centres = _watched(self.eval())
        self.train(training)
        self.dims = [m.shape[1] for m in maps]
        found = [_grid(SIDE // m.shape[2], None if frozen_norm else centres.get(m.shape[2])) for m in maps]
        self.grids = [Grid.cells(stride) for stride in strides] or found
        self._multiple = self.grids[-1].stride if whole_strides else 1

    def forward(self, image: Tensor, beside: Tensor | None = None) -> list[Tensor]:
        """Return the maps. `beside`: (b, e, h, w), what the first convolution takes beside the image where it takes more."""
        h, w = image.shape[2:]
        image = renormalise(image, self.mean, self.deviation)
        image = image if beside is None else torch.cat([image, beside.to(image.dtype)], dim=1)
        image = F.pad(image, (0, -w % self._multiple, 0, -h % self._multiple))
        maps_of = partial(self._maps_of, self.network)
        if self.bucket and not torch.is_grad_enabled():
            try:
                return buckets.in_buckets(maps_of, image, self.bucket)
            except buckets.NotLocalError:
                self.bucket = 0
        return maps_of(image)

    def converted(self, state: State) -> State:
        """Return a checkpoint under the names of the network."""
        return self._converted(self.network, state)

    def train(self, mode: bool = True) -> "Backbone":
        """Set the mode; batch norm of pretrained weights stays frozen: its statistics, or the identity of a folded
        one, are kept.
        """
        super().train(mode)
        if self.frozen_norm:
            for module in self.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self


def last_outputs(blocks: Iterable[nn.Module], x: Tensor, count: int) -> list[Tensor]:
    """Return the outputs of the last blocks of a chain that begins with x."""
    maps: list[Tensor] = []
    for block in blocks:
        x = block(x)
        maps = [*maps, x][-count:]
    return maps


def parts(m: Float[Tensor, "b d y x"]) -> Float[Tensor, "b c y x"]:
    """Return the positive and the negative part of every channel, c = 2 d: rectified maps that have lost nothing."""
    return F.relu(torch.cat([m, -m], dim=1))


def _grid(stride: int, centre: float | None) -> Grid:
    """Return the grid of a map.

    Networks that were trained on images and their mirror images see both alike, so their nodes lie evenly in the image: at the
    centres of cells, wherever the padding puts the middle of the kernels, for the filters lean by what is missing. `centre` is the
    middle of the first node's kernels, which a network that is drawn at random begins with; None without them.
    """
    return Grid.cells(stride) if centre is None else Grid(stride, centre)


def _add_centre(centres: dict[int, float], module: Strided, side: int) -> None:
    """Add to `_watched`'s pixels that of a module whose map is `side` nodes wide, if it is the first one that counts there."""
    step = module.stride[0] if isinstance(module.stride, tuple) else module.stride
    kernel = module.kernel_size[0] if isinstance(module.kernel_size, tuple) else module.kernel_size
    if step > 1 and kernel > 1 and side not in centres and side * step in centres:
        centres[side] = centres[side * step] + SIDE // (side * step) * first_pixel(module)


@torch.no_grad()
def _watched(backbone: Backbone) -> tuple[list[Tensor], dict[int, float]]:
    """Return the maps of an empty image, and by their side the pixel in the middle of the first node's kernels.

    Of several modules that make maps of one side from larger ones the first with a kernel counts: others are shortcuts beside it.
    """
    centres = {SIDE: 0.0}

    def look(module: Any, _inputs: tuple, output: Tensor) -> None:
        _add_centre(centres, module, output.shape[2])

    strided = [m for m in backbone.modules() if isinstance(m, Strided)]
    handles = [module.register_forward_hook(look) for module in strided]
    maps = backbone(torch.zeros(1, 3, SIDE, SIDE))
    for handle in handles:
        handle.remove()
    return maps, centres
