"""Masks of a class that was never trained, in any photographs, by a few-shot network and a few annotated photographs."""

from collections.abc import Sequence
from functools import reduce

import numpy as np
import torch
from jaxtyping import UInt8

from wsss_stages.config.options import FewShotPhotos
from wsss_stages.data.few_shot.squares import from_square, image_on_square, mask_on_square, sides_of
from wsss_stages.data.few_shot.supports import Support
from wsss_stages.nets import backbones
from wsss_stages.roads.photo_labels import Labelled, labelled, reduced
from wsss_stages.scl.few_shot import FewShot
from wsss_stages.scl.head import Maps
from wsss_stages.scl.predictor import FewShotPredictor
from wsss_stages.store.check_finite import finite


class FewShotSegmenter:
    """A network, which is on the device already, under the supports of one class."""

    def __init__(
        self,
        network: FewShot,
        supports: Sequence[Support],
        side: int,
        stride: int,
        opt: FewShotPhotos,
        device: str,
        probabilities: bool,
    ):
        """
        Args:
            side: of the squares that the network was trained on, pixels.
            stride: of the maps that it was trained on, pixels.
        """
        self.network, self.opt, self.device, self.shots = network, opt, device, len(supports)
        self.probabilities = probabilities
        self.sides = sides_of(side, stride, opt.scales)
        masks = np.stack([mask_on_square(support.mask, side) for support in supports])
        maps = self.encode([support.photo for support in supports], side)
        self.predictor = FewShotPredictor(network, maps, torch.from_numpy(masks).to(device), opt.cross_path)

    def __call__(self, photo: UInt8[np.ndarray, "h w 3"], name: str) -> Labelled:
        """Return 1 where the class is, else 0. Raises ValueError, naming the photograph, for scores that are no numbers."""
        seen, predictor = reduced(photo, self.opt.max_side), self.predictor
        at_scales = (predictor.scores(self.encode([seen], side), self.shots) for side in self.sides)
        fused = [predictor.fused(scores, self.opt.fusion == "cross") for scores in at_scales]
        each = zip(fused, self.sides, strict=True)
        total = reduce(
            torch.add, (from_square(F, *seen.shape[:2], side=side, grid=self.network.grid) for F, side in each)
        )
        finite(total, "the scores", "few_shot", name, "scl_train")
        return labelled((total / len(self.sides)).softmax(dim=0), photo.shape[:2], self.probabilities)

    def encode(self, photos: Sequence[np.ndarray], side: int) -> Maps:
        """Return the maps of photographs on squares of this side."""
        squares = np.stack([image_on_square(photo, side) for photo in photos])
        return self.network.encode(backbones.normalise(torch.from_numpy(squares).to(self.device)))
