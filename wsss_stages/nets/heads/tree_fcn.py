"""Tree-FCN: a decoder whose steps up pass through the learnable tree filter (Song et al. 2019)."""

from math import gcd

from jaxtyping import Float
from torch import Tensor, nn

from wsss_stages.nets import backbones
from wsss_stages.nets.grid import Grid, onto
from wsss_stages.nets.heads import head
from wsss_stages.nets.segmenter import Segmenter, block
from wsss_stages.nets.tree_filter import spanning_forest, tree_filter

GROUPS = 16


@head("tree_fcn")
class TreeFcn(Segmenter):
    """A pyramid backbone and a top-down decoder; coarser features are filtered along the tree of the finer map."""

    def __init__(self, backbone: backbones.Backbone, classes: int, channels: int):
        """
        Args:
            classes counts background; `channels` is the width of the decoder.
        """
        super().__init__(backbone)
        self.groups = gcd(channels, GROUPS)
        finer = backbone.dims[:-1]
        self.lateral = nn.ModuleList(nn.Sequential(*block(dim, channels, 3)) for dim in backbone.dims)
        self.embed = nn.ModuleList(nn.Conv2d(channels, channels, 1, bias=False) for _ in finer)
        self.refine = nn.ModuleList(nn.Sequential(*block(channels, channels, 3)) for _ in finer)
        self.classify = nn.Conv2d(channels, classes, 1)

    @staticmethod
    def body(name: str, stride: int, pretrained: bool) -> backbones.Backbone:
        """Return maps at strides 4 to 32; the decoder ends at the finest, whatever `stride` says."""
        return backbones.pyramid(name, pretrained)

    @property
    def grid(self) -> Grid:
        """Return the grid of the logits, which lie at the nodes of the finest map."""
        return self.backbone.grids[0]

    def forward(self, image: Float[Tensor, "b 3 H W"]) -> Float[Tensor, "b c h w"]:
        maps, grids = self.backbone(image), self.backbone.grids
        x = self.lateral[-1](maps[-1])
        for level in reversed(range(len(maps) - 1)):
            m = maps[level]
            above = onto(x, grids[level + 1], grids[level], m.shape[2:])
            filtered = tree_filter(above, self.embed[level](above), spanning_forest(m.detach()), self.groups)
            x = self.refine[level](self.lateral[level](m) + filtered)
        return self.classify(x)
