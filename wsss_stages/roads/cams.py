"""Class activation maps of images, many of one size at once (Eqs. 2.1-2.3)."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float16, UInt8

from wsss_stages.config.options import Cam
from wsss_stages.labels.cam import multi_scale
from wsss_stages.nets import backbones
from wsss_stages.nets.clip_cam import ClipCam
from wsss_stages.nets.precision import autocast, precision
from wsss_stages.shards.shard import Item, Shard
from wsss_stages.store.check_finite import finite
from wsss_stages.store.prefetch import Prefetch
from wsss_stages.store.progress import progress
from wsss_stages.training.memory import MicroBatches

PIXELS_ON_GPU = 4_000_000
"""Most pixels of images of one size that go through the network at once; at scale 2 and mirrored they are eight
times as many.
"""


class CamMaker:
    """A classifier, which is on the device already."""

    made_of = "s1_classifier"
    """The origin of the network, in messages."""

    def __init__(self, network: torch.nn.Module, stride: int, opt: Cam, device: str):
        """
        Args:
            stride: of the classifier's options.
        """
        self.network, self.stride, self.opt, self.device = network, stride, opt, device
        self.precision = precision(opt.precision, device)
        self.limit = opt.batch_pixels or (1 if device == "cpu" else PIXELS_ON_GPU)

    def run(self, shard: Shard) -> None:
        """Make every image of the shard that is not whole yet."""
        batches = shard.batches(lambda record: record.height * record.width, self.limit, one_size=True)
        loading = Prefetch(batches, lambda batch: [(item, item.image) for item in batch])
        micro = MicroBatches("s2_cam", self._of_pairs, "cam.batch_pixels")
        for batch, pairs in progress(loading, "s2_cam (batches)"):
            cams, parted = micro.results(pairs)
            for item, cam in zip(batch, cams, strict=True):
                if not item.done:
                    item.write({"cam": stored(cam, item.id, item.record.tags, self.made_of)}, parted)
        shard.finish()

    def _of_pairs(self, pairs: Sequence[tuple[Item, np.ndarray]]) -> list[torch.Tensor]:
        batch, photos = zip(*pairs, strict=True)
        return self.cams(list(batch), np.stack(photos))

    def cams(self, batch: list[Item], photos: UInt8[np.ndarray, "b h w 3"]) -> list[torch.Tensor]:
        """Return (k, y, x) the maps of every image's classes."""
        images = backbones.normalise(torch.from_numpy(photos).permute(0, 3, 1, 2).to(self.device) / 255)
        classes = [torch.tensor(item.record.tags, dtype=torch.long, device=self.device) for item in batch]
        opt = self.opt
        network: Any = self.network
        grid = network.backbone.grids[-1]
        with autocast(self.device, self.precision):
            return multi_scale(network.cam, images, classes, opt.scales, opt.flip, self.stride, grid)


class ClipCamMaker(CamMaker):
    """CLIP and the words of the classes, which are on the device already."""

    made_of = "cam.clip_model"

    def __init__(self, clip: ClipCam, opt: Cam, device: str):
        super().__init__(torch.nn.Module(), clip.patch, opt, device)
        self.clip = clip

    def cams(self, batch: list[Item], photos: UInt8[np.ndarray, "b h w 3"]) -> list[torch.Tensor]:
        images = backbones.normalise(torch.from_numpy(photos).permute(0, 3, 1, 2).to(self.device) / 255)
        tags = [torch.tensor(item.record.tags, dtype=torch.long, device=self.device) for item in batch]
        return [self._of(image[None], present) for image, present in zip(images, tags, strict=True)]

    def _of(self, image: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Return (k, y, x) the maps of the k classes of one image."""
        rows, opt = torch.arange(1, len(present) + 1, device=self.device), self.opt
        (found,) = multi_scale(partial(self.clip, classes=present), image, [rows], opt.scales, opt.flip, self.stride)
        return found


def stored(
    cam: torch.Tensor, name: str, tags: list[int], made_of: str = CamMaker.made_of
) -> dict[str, Float16[np.ndarray, "k y x"] | UInt8[np.ndarray, " k"]]:
    """Return the maps of an image as contracts.CAM has them. Raises ValueError, naming the image, for numbers that are none."""
    found = finite(cam.cpu().numpy(), "the class activation maps", "s2_cam", name, made_of)
    return {"cam": found.astype(np.float16), "classes": np.array(tags, np.uint8)}
