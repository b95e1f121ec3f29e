"""The network of DFR: a semantic head and, for training, a feature head on one fused map (Figs. 4.1-4.2)."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from wsss_stages.nets.backbones import Backbone
from wsss_stages.nets.grid import Grid
from wsss_stages.nets.segmenter import Segmenter, block
from wsss_stages.nets.upernet import UperNet

BLOCKS = (1, 2, 3, 4)


class DfrNet(Segmenter):
    """A pyramid backbone (`backbones.pyramid`), UPerNet and two heads; logits and features are at the finest stride."""

    def __init__(
        self, backbone: Backbone, classes: int, channels: int, features: int = 0, blocks: Sequence[int] = BLOCKS
    ):
        """
        Args:
            classes: with background.
            channels: of each block in the fused map (thesis: 512, so that four make 2048).
            features: d of the feature head (thesis: 128); 0 = without it.
            blocks: which are fused (Table 4.4).
        """
        super().__init__(backbone)
        self.fuse = UperNet(backbone.dims, channels, blocks)
        fused = channels * len(blocks)
        self.classify = nn.Sequential(*block(fused, channels, 3), nn.Dropout2d(0.1), nn.Conv2d(channels, classes, 1))
        self.feature = nn.Sequential(nn.Conv2d(fused, features, 1), nn.ReLU()) if features else None

    @property
    def grid(self) -> Grid:
        """Return the grid of the logits, which lie at the nodes of the finest map."""
        return self.backbone.grids[0]

    def forward(self, image: Float[Tensor, "b 3 H W"]) -> Float[Tensor, "b c h w"]:
        return self.classify(self.fuse(self.backbone(image)))

    def both(self, image: Float[Tensor, "b 3 H W"]) -> tuple[Float[Tensor, "b c h w"], Float[Tensor, "b d h w"] | None]:
        """Return the logits, and F of Eq. 4.6 where there is a feature head."""
        fused = self.fuse(self.backbone(image))
        return self.classify(fused), None if self.feature is None else self.feature(fused)
