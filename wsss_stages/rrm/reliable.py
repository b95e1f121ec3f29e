"""Reliable regions of a batch: labels that every iteration makes from its own CAMs (Eqs. 2.3-2.7)."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from wsss_stages import UNKNOWN
from wsss_stages.labels.cam import enlarge
from wsss_stages.labels.levels import counts, of_cams, shares
from wsss_stages.labels.reliable import Mining, mined


def reliable_regions(
    image: Float[Tensor, "b 3 h w"],
    valid: Bool[Tensor, "b h w"],
    cams: list[Float[Tensor, "_ y x"]],
    classes: list[Int[Tensor, "_"]],
    opt: Mining,
    names: list[str],
) -> UInt8[Tensor, "b h w"]:
    """Return I_final of Eq. 2.7, 255 where nothing is reliable or the image is padded; quantiles are those of the batch.

    Args:
        image: RGB in [0, 1].  valid: a rectangle of each, True inside.
        cams: M_cam of Eq. 2.2 of each image's classes (`labels.cam.multi_scale`), at any stride.  classes: 1..N.
    """
    b, h, w = valid.shape
    photos = (image * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    inside = valid.cpu().numpy()
    labels = np.full((b, h, w), UNKNOWN, np.uint8)
    parts = [_rectangle(region) for region in inside]
    maps = [enlarge(cam.float().cpu().numpy(), h, w)[:, *part] for cam, part in zip(cams, parts, strict=True)]
    shares_of = (opt.cam_normalise, opt.background_share, opt.foreground_share)
    levels = of_cams(maps, *shares_of) if opt.thresholds == "quantiles" else None
    for label, part, photo, cam, present, name in zip(labels, parts, photos, maps, classes, names, strict=True):
        photo, present = np.ascontiguousarray(photo[part]), present.cpu().numpy()
        label[part] = mined(photo, cam, present, opt, levels, str(image.device), name)[1]
    return torch.from_numpy(labels).to(image.device)


def label_shares(
    labels: UInt8[Tensor, "b h w"], valid: Bool[Tensor, "b h w"], classes: list[Int[Tensor, "_"]]
) -> dict[str, float]:
    """Return the shares of a batch (`labels.levels.shares`): of its valid pixels, and of its images' classes."""
    found = [counts(*pair) for pair in zip(*(_to_numpy(batch) for batch in (labels, classes)), strict=True)]
    summed = {name: sum(image[name] for image in found) for name in found[0]}
    return shares(summed | {"pixels": int(valid.sum())})


def _rectangle(inside: np.ndarray) -> tuple[slice, slice]:
    y, x = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    return slice(y[0], y[-1] + 1), slice(x[0], x[-1] + 1)


def _to_numpy(tensors) -> list[np.ndarray]:
    return [tensor.cpu().numpy() for tensor in tensors]
