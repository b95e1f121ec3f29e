"""Sources of masks by name; every module of this folder registers its own (DESIGN, decision 11).

A source is a class with a class method `build`; an instance is called with every image that has prompts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, UInt8

from wsss_stages.config.options import Masks
from wsss_stages.data.index import Index, Record
from wsss_stages.labels.prompt_masks import PromptMasks
from wsss_stages.labels.prompts import Prompt
from wsss_stages.nets.registry import Registry

Notes = dict[str, int]


@dataclass(frozen=True)
class Given:
    """An image and what earlier stages know of it."""

    record: Record
    image: UInt8[np.ndarray, "h w 3"]
    cam: Float[np.ndarray, "c h w"] | None = None
    """Maps of the classes in `cam_classes`, in [0, 1], at the size of the image; None where the source needs none."""
    cam_classes: Sequence[int] = ()


@runtime_checkable
class MaskSource(Protocol):
    """Makes the mask of every prompt of an image."""

    kinds: tuple[str, ...]
    """Kinds of prompts that it takes."""
    weights: str
    """sha256 of the networks that it uses; "" without."""

    @classmethod
    def build(cls, opt: Masks, index: Index, device: str) -> "MaskSource":
        """Return a source from its options. Raises ValueError where its files are missing or do not fit."""
        ...

    def evidence(self, record: Record) -> Any:
        """Return what the masks of an image depend on beside the image, its labels and the networks, such as files of the user's own."""
        ...

    def __call__(self, given: Given, prompts: Sequence[Prompt]) -> tuple[PromptMasks, Notes]:
        """Return the masks of prompts, of which there is at least one, and notes."""
        ...


MASK_SOURCES: Registry[type[MaskSource]] = Registry(__name__)
mask_source = MASK_SOURCES.register
