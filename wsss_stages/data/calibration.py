"""A few photographs of a run that a network is measured on before it is trained."""

from collections.abc import Iterator

import cv2
import torch
from jaxtyping import Float
from torch import Tensor

from wsss_stages.data.index import Index

COUNT, SIDE = 64, 320


def calibration_photographs(index: Index) -> Iterator[Float[Tensor, "1 3 h w"]]:
    """Yield RGB in [0, 1] of up to `COUNT` training photographs, chosen by a hash of their ids, with a longer side of `SIDE`."""
    for record in index.sample("train", COUNT).split("train"):
        photo = record.image(index.root)
        scale = SIDE / max(photo.shape[:2])
        size = tuple(max(1, round(side * scale)) for side in photo.shape[1::-1])
        resized = cv2.resize(photo, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        yield torch.from_numpy(resized).permute(2, 0, 1)[None] / 255
