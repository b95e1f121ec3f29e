"""One way to call the promptable segmenters of transformers: image in, embeddings once, then masks of boxes and points.

SAM and SAM-HQ scale the longer side of an image and pad it to a square; SAM 2 and SAM 3's tracker stretch it. Prompts are scaled here
and masks brought back here, so that a family's processor is asked for pixels alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from wsss_stages.nets.precision import autocast

LONGEST = 32
"""Longest side over the shortest one: the longer side fills the network's input, and the shorter one must not vanish."""
PADDED = -10
"""Label of a point that pads a prompt; the prompt encoders leave it out."""


@dataclass(frozen=True)
class Embedded:
    """An image as the mask decoder takes it."""

    arguments: dict[str, Any]
    """Arguments of the network's forward pass."""
    size: tuple[int, int]
    """Height and width of the image."""
    thick: tuple[int, int]
    """Size of the image with the rows or columns that were added to it."""
    inner: tuple[int, int]
    """Size of the image within the network's input."""
    outer: tuple[int, int]
    """Size of the network's input."""


@dataclass(frozen=True)
class Answers:
    """Masks of prompts: m of each, 1 or 3."""

    logits: Float[Tensor, "k m h w"]
    """At the size of the image."""
    iou: Float[Tensor, "k m"]
    """Predicted IoU."""


class Promptable(nn.Module):
    """A promptable segmenter and the processor of its images."""

    def __init__(self, network: nn.Module, pixels_of: Callable[..., Any], device: str, precision: torch.dtype):
        """
        Args:
            network: one of transformers' SamModel, SamHQModel, Sam2Model and Sam3TrackerModel.
            pixels_of: its image processor.  precision: of the forward passes, by autocast.
        """
        super().__init__()
        self.network: Any = network.eval().to(device)
        self.pixels_of = pixels_of
        self.device, self.precision = device, precision

    @torch.no_grad()
    def embed(self, image: UInt8[np.ndarray, "h w 3"]) -> Embedded:
        """Return the embeddings of an RGB image; prompts then cost a pass of the mask decoder."""
        size = image.shape[:2]
        image = _thick(image)
        # the processors tell channels from rows by their number, which fails for an image of three rows
        found = self.pixels_of([image], return_tensors="pt", input_data_format="channels_last")
        pixels = found["pixel_values"].to(self.device)
        outer = (int(pixels.shape[-2]), int(pixels.shape[-1]))
        inner = outer
        if "reshaped_input_sizes" in found:
            height, width = map(int, found["reshaped_input_sizes"][0])
            inner = height, width
        with autocast(self.device, self.precision):
            made = self.network.get_image_embeddings(pixels)
        arguments = {"image_embeddings": made}
        if isinstance(made, tuple):  # of SAM-HQ
            arguments = {"image_embeddings": made[0], "intermediate_embeddings": made[1]}
        return Embedded(arguments, size, image.shape[:2], inner, outer)

    @torch.no_grad()
    def answers(
        self,
        image: Embedded,
        boxes: Float[np.ndarray, "k 4"] | None,
        points: Float[np.ndarray, "k p 2"] | None,
        labels: Int[np.ndarray, "k p"] | None,
        several: bool,
    ) -> Answers:
        """Return the masks of prompts that have the same parts: all boxes, all points, or all both.

        Args:
            boxes: x0 y0 x1 y1, pixels of the image.  points: x, y.  labels: 1 inside, 0 outside, PADDED none.
            several: three masks of each prompt instead of one.
        """
        prompts = {}
        if boxes is not None:
            prompts["input_boxes"] = self._scaled(image, boxes.reshape(-1, 2, 2)).reshape(1, -1, 4)
        if points is not None and labels is not None:
            prompts["input_points"] = self._scaled(image, points)[None]
            prompts["input_labels"] = torch.from_numpy(labels)[None].to(self.device)
        with autocast(self.device, self.precision):
            found = self.network(**image.arguments, **prompts, multimask_output=several)
        return Answers(self._to_image(found.pred_masks[0].float(), image), found.iou_scores[0].float())

    def _scaled(self, image: Embedded, places: np.ndarray) -> Tensor:
        """Return places x, y of the image in the network's input."""
        factor = np.array([image.inner[1] / image.thick[1], image.inner[0] / image.thick[0]])
        return torch.from_numpy((places * factor).astype(np.float32)).to(self.device)

    def _to_image(self, logits: Tensor, image: Embedded) -> Tensor:
        """Return logits at the size of the image."""
        if image.inner != image.outer:
            logits = F.interpolate(logits, image.outer, mode="bilinear", align_corners=False)
            logits = logits[..., : image.inner[0], : image.inner[1]]
        logits = F.interpolate(logits, image.thick, mode="bilinear", align_corners=False)
        return logits[..., : image.size[0], : image.size[1]]


def _thick(image: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "y x 3"]:
    """Return an image whose shorter side is at least 1 / LONGEST of the longer one: its last row or column is repeated."""
    height, width = image.shape[:2]
    least = -(-max(height, width) // LONGEST)
    more = max(0, least - height), max(0, least - width)
    return np.pad(image, ((0, more[0]), (0, more[1]), (0, 0)), mode="edge") if any(more) else image
