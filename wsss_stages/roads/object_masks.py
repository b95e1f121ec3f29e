"""Soft masks of boxes by the object network and the mask source (ours; Eq. 3.23's prior makes them tight)."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from wsss_stages.a2gnn import nodes
from wsss_stages.a2gnn.object_masks import merge, pack, soft_mask, unpack
from wsss_stages.config.options import ObjectMasks
from wsss_stages.labels.box_crops import box_in, cut, window
from wsss_stages.labels.prompt_masks import StoredMasks
from wsss_stages.nets import backbones
from wsss_stages.shards.shard import Item, Shard
from wsss_stages.store import contracts
from wsss_stages.store.check_finite import finite
from wsss_stages.store.prefetch import Prefetch
from wsss_stages.store.progress import progress

CROPS = 32
"""Boxes in a batch."""
GREY = 115
"""Grey that a crop shows outside the image, as in training."""


class ObjectMasker:
    """The work of s5_object_masks on images."""

    def __init__(self, network: nn.Module, side: int, opt: ObjectMasks, device: str):
        """
        Args:
            side: of the crops that the network was trained on, pixels.

        The network is on the device already.
        """
        self.network, self.side, self.opt, self.device = network, side, opt, device

    def run(self, shard: Shard) -> None:
        """Make every image of the shard that is not whole yet."""
        for item, photo in progress(Prefetch(shard.todo(), lambda item: item.image), "s5_object_masks"):
            item.write(self.made(item, photo))
        shard.finish()

    def made(self, item: Item, photo: np.ndarray) -> dict:
        """Return the packed masks of an image, and the label that they give by themselves."""
        record = item.record
        boxes, box_classes = record.box_arrays()
        stored = StoredMasks(item.read(contracts.MASKS), record.width)
        known = [stored.within(number, box) for number, box in enumerate(boxes)]
        P = self.masks(photo, boxes, known, stored.substituted[: len(boxes)], item.id)
        packed, classes = pack(P), [0, *record.tags]
        P = merge(unpack(packed, boxes), boxes, nodes.rows_of(box_classes, classes), len(classes), *item.size)
        return {"objects": packed, "object_label": np.array(classes, np.uint8)[P.argmax(dim=0).numpy()]}

    def masks(
        self,
        photo: np.ndarray,
        boxes: Int[np.ndarray, "k 4"],
        known: Sequence[Float[np.ndarray, "_ _"]],
        substituted: Bool[np.ndarray, "k"],
        name: str,
    ) -> list[Float[Tensor, "_ _"]]:
        """Return the probability of every box's object at the pixels of the box.

        A box that the mask source failed in, whose foreground is the whole box, says nothing of its object: there the network alone counts.

        Args:
            photo: (h, w, 3) uint8 RGB.  boxes: x0 y0 x1 y1, pixels, half open.
            known: probabilities of the mask source at the pixels of each box.  substituted: boxes that it failed in.  name: of the image.

        Raises ValueError, naming the image, for logits that are no numbers.
        """
        windows = np.array([window(box, np.full(4, self.opt.margin)) for box in boxes], np.float32).reshape(-1, 4)
        parts = [slice(at, at + CROPS) for at in range(0, len(boxes), CROPS)]
        found = [logits for part in parts for logits in self.logits(photo, boxes[part], windows[part])]
        for logits in found:
            finite(logits, "an object's mask", "s5_object_masks", name, "s4_object_net")
        shares = np.where(substituted, 0.0, self.opt.grabcut_share).tolist()
        parts = zip(found, windows, known, boxes, shares, strict=True)
        return [soft_mask(*part, self.opt.tight_share) for part in parts]

    @torch.no_grad()
    def logits(self, photo: np.ndarray, boxes: np.ndarray, windows: np.ndarray) -> Float[np.ndarray, "k y x"]:
        """Return the network's logits on the crops of windows around boxes, the mean with those of the mirrored crops."""
        image = np.stack([cut(photo, view, self.side, GREY) for view in windows]).transpose(0, 3, 1, 2)
        inside = np.stack([box_in(box, view, self.side) for box, view in zip(boxes, windows, strict=True)])
        image, inside = torch.from_numpy(image).to(self.device) / 255, torch.from_numpy(inside).to(self.device)
        image = backbones.normalise(image).contiguous(memory_format=torch.channels_last)
        found = self.network(image, inside)
        if self.opt.flip:
            found = (found + self.network(image.flip(3), inside.flip(2)).flip(2)) / 2
        return found.cpu().numpy()
