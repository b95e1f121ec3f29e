"""Reliable regions of a batch: labels that every iteration makes of its own CAMs (Eqs. 2.3-2.7)."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from wsss_stages import UNKNOWN
from wsss_stages.labels.cam import enlarge
from wsss_stages.labels.reliable import mined
from wsss_stages.options import Mining


def reliable_regions(
    image: Float[Tensor, "b 3 h w"],
    valid: Bool[Tensor, "b h w"],
    cams: list[Float[Tensor, "_ y x"]],
    classes: list[Int[Tensor, "_"]],
    opt: Mining,
    names: list[str],
) -> UInt8[Tensor, "b h w"]:
    """I_final of Eq. 2.7, 255 where nothing is reliable or the image is padded.

    Args:
        image: RGB in [0, 1].  valid: a rectangle of each, True inside.
        cams: M_cam of Eq. 2.2 of each image's classes (`labels.cam.multi_scale`), at any stride.  classes: 1..N.
    """
    b, h, w = valid.shape
    photos = (image * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    inside = valid.cpu().numpy()
    labels = np.full((b, h, w), UNKNOWN, np.uint8)
    for i in range(b):
        y, x = (np.flatnonzero(inside[i].any(axis=axis)) for axis in (1, 0))
        part = (slice(y[0], y[-1] + 1), slice(x[0], x[-1] + 1))
        cam = enlarge(cams[i].float().cpu().numpy(), h, w)[:, *part]
        photo, present = np.ascontiguousarray(photos[i][part]), classes[i].cpu().numpy()
        labels[i][part] = mined(photo, cam, present, opt, str(image.device), names[i])[1]
    return torch.from_numpy(labels).to(image.device)
