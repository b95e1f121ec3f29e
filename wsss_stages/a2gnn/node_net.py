"""A backbone whose last three maps are the features of the nodes of a graph (Fig. 3.2, Eq. 3.15)."""

from jaxtyping import Float
from torch import Tensor, nn

from wsss_stages.nets.backbones import Backbone
from wsss_stages.nets.grid import Grid, onto
from wsss_stages.pairwise.array_checks import FLOATING, check_tensors


class NodeNet(nn.Module):
    """A backbone that gives its last three maps at the nodes of the coarsest one.

    Shapes: image (b, 3, H, W), as `nets.backbones.normalise` leaves it, with sides that are multiples of the backbone's stride.
    """

    def __init__(self, backbone: Backbone):
        super().__init__()
        self.backbone = backbone

    @property
    def grid(self) -> Grid:
        """Return the places of the features in the image."""
        return self.backbone.grids[-1]

    def maps(self, image: Float[Tensor, "b 3 H W"]) -> list[Tensor]:
        """Return the rectified feature maps at one size; joined and normalised they are X of Eq. 3.15."""
        device = self.backbone.get_buffer("mean").device
        check_tensors(type(self).__name__, {}, device, image=(image, "b 3 h w", FLOATING))
        maps, grids = self.backbone(image), self.backbone.grids
        size = (maps[-1].shape[2], maps[-1].shape[3])
        return [onto(m, grid, self.grid, size) for m, grid in zip(maps, grids, strict=True)]
