"""Instances detected in images by Mask R-CNN."""

import cv2
import numpy as np
import torch
from jaxtyping import UInt8

from wsss_stages.config.options import Detect
from wsss_stages.data import rle
from wsss_stages.nets.mask_rcnn import Detector
from wsss_stages.shards.shard import Item, Shard
from wsss_stages.store.check_finite import finite_outputs
from wsss_stages.store.prefetch import Prefetch
from wsss_stages.store.progress import progress


def on_side(photo: UInt8[np.ndarray, "h w 3"], side: int) -> UInt8[np.ndarray, "_ _ 3"]:
    """Return a photograph resized to a longer side of `side` pixels."""
    scale = side / max(photo.shape[:2])
    size = tuple(max(1, round(n * scale)) for n in photo.shape[1::-1])
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


class InstanceDetector:
    """A detector, which is on the device already."""

    def __init__(self, network: Detector, side: int, opt: Detect, device: str):
        """
        Args:
            side: longer side of the photographs that the detector sees, pixels.
        """
        self.network, self.side, self.opt, self.device = network, side, opt, device

    def run(self, shard: Shard) -> None:
        """Make every image of the shard that is not whole yet."""
        for item, photo in progress(Prefetch(shard.todo(), lambda item: on_side(item.image, self.side)), "s8_detect"):
            item.write({"detections": self.made(item, photo)})
        shard.finish()

    def made(self, item: Item, photo: np.ndarray) -> dict[str, np.ndarray]:
        """Return the instances in a photograph as contracts.DETECTIONS has them. Raises ValueError for numbers that are none."""
        image = torch.from_numpy(photo).permute(2, 0, 1).to(self.device) / 255
        size = item.record.full_height, item.record.full_width
        with finite_outputs(self.network.deciding(), "s8_detect", item.id, "s7_instances"):
            found = self.network.detect(image, *size, self.opt.min_score, self.opt.most)
        boxes, scores, classes, masks = (part.cpu().numpy() for part in found)
        return rle.pack(masks) | {"box": boxes, "score": scores, "classes": classes.astype("uint8")}
