"""Labels of images by a segmentation network, over scales and mirror, with or without a CRF."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from wsss_stages import UNKNOWN
from wsss_stages.config.options import Views
from wsss_stages.labels.crf import CrfSettings, DenseCrf
from wsss_stages.labels.enlarge import among, most_likely
from wsss_stages.nets import backbones
from wsss_stages.nets.segmenter import Segmenter, multi_scale
from wsss_stages.shards.shard import Item, Shard
from wsss_stages.store.check_finite import finite
from wsss_stages.store.prefetch import Prefetch
from wsss_stages.store.progress import progress


class Predictor:
    """A network, which is on the device already, and the training that made it."""

    def __init__(self, network: Segmenter, opt: Views, device: str, stage: str, maker: str):
        """
        Args:
            stage: name of the stage that predicts, for errors.
            maker: name of the stage that trained the network, for errors.
        """
        self.network, self.opt, self.device, self.stage, self.maker = network, opt, device, stage, maker

    def run(self, shard: Shard) -> None:
        """Make every image of the shard that is not whole yet."""
        for item, photo in progress(Prefetch(shard.todo(), lambda item: item.image), self.stage):
            item.write(self.made(item, photo))
        shard.finish()

    def made(self, item: Item, photo: np.ndarray) -> dict[str, np.ndarray]:
        """Return the most likely class of every pixel, of all classes and of those that the image is known to show."""
        P = self.refined(self.probabilities(photo, item.id), photo, item.id)
        return predicted(P, item.record.tags, (item.record.full_height, item.record.full_width))

    def probabilities(self, photo: np.ndarray, name: str) -> Float[Tensor, "c h w"]:
        """Return class probabilities of a photograph, (h, w, 3) uint8 RGB. Raises ValueError for numbers that are none."""
        image = torch.from_numpy(photo).permute(2, 0, 1)[None].to(self.device) / 255
        P = multi_scale(self.network, backbones.normalise(image), self.opt.scales, self.opt.flip)
        return finite(P, "the class probabilities", self.stage, name, self.maker)

    def refined(self, P: Float[Tensor, "c h w"], photo: np.ndarray, name: str) -> Float[Tensor, "c h w"]:
        """Return the probabilities after the CRF, or as they are for no iteration."""
        if not self.opt.crf.iterations:
            return P
        crf = DenseCrf(photo, **self.opt.crf.fill(CrfSettings).kernels(), device=self.device)
        return crf.infer(P[None], self.opt.crf.iterations, name)[0]


class TagPredictor(Predictor):
    """A predictor of pseudo labels, among an image's tags, before the CRF and after it; a mask corrected by hand is the label."""

    def made(self, item: Item, photo: np.ndarray) -> dict[str, np.ndarray]:
        """Return both labels by the names of their contracts."""
        record = item.record
        classes = np.array([0, *record.tags], np.uint8)
        P = among(self.probabilities(photo, item.id), classes.tolist())
        Q = self.refined(P, photo, item.id)
        rows = (most_likely(maps, record.full_height, record.full_width)[0].cpu().numpy() for maps in (P, Q))
        branch, label = (classes[row] for row in rows)
        if record.corrected:
            by_hand = record.learned_mask(Path())
            label = np.where(by_hand == UNKNOWN, label, by_hand)
        return {"rrm_branch": branch, "rrm_label": label}


def predicted(P: Float[Tensor, "c h w"], tags: list[int], size: tuple[int, int]) -> dict[str, UInt8[np.ndarray, "H W"]]:
    """Return labels at full size by the names of their contracts: of all classes, and among background and the image's tags.

    Args:
        tags: none: both labels are the same.  size: H, W.
    """
    label = most_likely(P, *size)[0].cpu().numpy().astype(np.uint8)
    known = np.array([0, *tags], np.uint8)
    tagged = known[most_likely(P[known.tolist()], *size)[0].cpu().numpy()] if len(known) > 1 else label
    return {"prediction": label, "prediction_known": tagged}
