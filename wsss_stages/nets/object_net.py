"""The object network: the crop of a box to its object, whatever its class."""

from jaxtyping import Float
from torch import Tensor, nn

from wsss_stages.nets.backbones import Backbone
from wsss_stages.nets.grid import onto
from wsss_stages.nets.padding import like
from wsss_stages.nets.replace import replace


class WithBox(nn.Module):
    """The first convolution of a backbone, plus one of the channel that follows the image's three.

    Shapes: (b, 4, h, w) to what either convolution gives. Parameters keep the names that the first one had.
    """

    def __init__(self, image: nn.Conv2d, box: nn.Conv2d):
        super().__init__()
        self.weight, self.bias = image.weight, image.bias
        self.convolutions = image, box  # a tuple, or their parameters would have two names

    def forward(self, x: Float[Tensor, "b 4 h w"]) -> Float[Tensor, "b d y x"]:
        image, box = self.convolutions
        return image(x[:, :3]) + box(x[:, 3:])


class ObjectNet(nn.Module):
    """A pyramid backbone that sees the box as a fourth channel, lateral 1x1 convolutions, top-down 3x3 ones, one logit.

    The fourth channel's filters and the last convolution begin at zero, so the backbone begins as it was pretrained.
    """

    def __init__(self, backbone: Backbone, width: int):
        super().__init__()
        self.backbone = backbone
        first = next(m for m in backbone.modules() if isinstance(m, nn.Conv2d))
        self.box = like(first, 1)
        replace(backbone, lambda module: module is first, lambda conv: WithBox(conv, self.box))
        self.lateral = nn.ModuleList(nn.Conv2d(dim, width, 1) for dim in backbone.dims)
        self.mix = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.GroupNorm(8, width), nn.ReLU())
            for _ in backbone.dims
        )
        self.out = nn.Conv2d(width, 1, 1)
        for start in (self.box, self.out):
            nn.init.zeros_(start.weight)

    def forward(self, image: Float[Tensor, "b 3 s s"], inside: Float[Tensor, "b s s"]) -> Float[Tensor, "b y x"]:
        """Return the logits of the object at the finest stride of the backbone.

        `inside`: 1 in the box, 0 in its margins.
        """
        maps = self.backbone(image, inside.unsqueeze(1))
        joined = above = None
        for lateral, mix, m, grid in reversed(
            list(zip(self.lateral, self.mix, maps, self.backbone.grids, strict=True))
        ):
            level = lateral(m)
            if joined is not None and above is not None:
                level = level + onto(joined, above, grid, level.shape[2:])
            joined, above = mix(level), grid
        return self.out(joined).squeeze(1)
