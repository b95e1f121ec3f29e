"""A network's requirements of an image: the mean and deviation of its training photographs, and how they were resized."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's mean and standard deviation of RGB in [0, 1], in which the pipeline counts colours."""


@dataclass(frozen=True)
class Inputs:
    """Mean and deviation of RGB in [0, 1] that weights were trained with, and the interpolation of their images."""

    mean: tuple[float, ...] = MEAN
    deviation: tuple[float, ...] = STD
    interpolation: str = "bilinear"


IMAGENET = Inputs()


def normalise(images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
    """Return RGB in [0, 1] with ImageNet's mean at 0 and its deviation as the unit."""
    return (images - _column(MEAN, images)) / _column(STD, images)


def renormalise(
    images: Float[Tensor, "b 3 h w"], mean: Float[Tensor, "1 3 1 1"], deviation: Float[Tensor, "1 3 1 1"]
) -> Float[Tensor, "b 3 h w"]:
    """Return images of `normalise` with another mean at 0 and another deviation as the unit."""
    scale, shift = _column(STD, images) / deviation, (_column(MEAN, images) - mean) / deviation
    return images * scale + shift


def _column(values: tuple[float, ...], like: Tensor) -> Tensor:
    return torch.tensor(values, device=like.device).view(1, 3, 1, 1)
