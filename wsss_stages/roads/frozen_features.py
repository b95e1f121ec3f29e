"""Maps of images by a frozen backbone, in half precision (Sec. 5.3.1)."""

import numpy as np
import torch
from jaxtyping import Float, Float16
from torch import Tensor

from wsss_stages.config.options import SclFeatures
from wsss_stages.data.few_shot.squares import image_on_square
from wsss_stages.nets import backbones
from wsss_stages.scl.head import two_maps
from wsss_stages.shards.shard import Shard
from wsss_stages.store.check_finite import finite
from wsss_stages.store.prefetch import Prefetch
from wsss_stages.store.progress import progress

STAGE = "scl_features"


class FeatureMaker:
    """A backbone, which is on the device already."""

    def __init__(self, backbone: backbones.Backbone, opt: SclFeatures, device: str):
        self.backbone, self.opt, self.device = backbone, opt, device

    def run(self, shard: Shard) -> None:
        """Make every image of the shard that is not whole yet."""
        squares = Prefetch(shard.todo(), lambda item: image_on_square(item.image, self.opt.side))
        for item, square in progress(squares, STAGE):
            item.write(self.made(square, item.id))
        shard.finish()

    @torch.no_grad()
    def made(self, square: np.ndarray, name: str) -> dict[str, np.ndarray]:
        """Return the maps of a photograph on its square by the names of their contracts. Raises ValueError for numbers that are none."""
        image = backbones.normalise(torch.from_numpy(square)[None].to(self.device))
        found = two_maps(self.backbone(image), self.backbone.grids)
        maps = {"middle": found.middle, "deep": found.deep}
        for which, m in maps.items():
            finite(m, f"the map {which}", STAGE, name, STAGE)
        return {which: halved(m[0]) for which, m in maps.items()}


def halved(F: Float[Tensor, "d y x"]) -> Float16[np.ndarray, "y x d"]:
    """Return a map in half precision, channels last; numbers that are too large for it are its largest."""
    return F.clamp(max=torch.finfo(torch.float16).max).permute(1, 2, 0).half().cpu().numpy()
