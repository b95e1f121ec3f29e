"""Boxes of an image's tags by their words: Grounding DINO (Liu et al., ECCV 2024), for prompts of tags."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from wsss_stages.config.options import Masks
from wsss_stages.labels.prompts import Prompt
from wsss_stages.store import provenance
from wsss_stages.training import model_folders

OPTION = "masks.text_boxes_model"
KINDS = ("grounding-dino", "mm-grounding-dino")
ROUNDED = 1e-3
"""Part of a pixel that float32 may be off."""
OVERLAP = 0.7
"""IoU above which the less certain of two boxes of a class is dropped."""


class TextBoxes:
    """A detector that is asked for one class at a time, so that every box is of that class."""

    def __init__(
        self, network: nn.Module, processor: Callable[..., Any], words: Sequence[str], opt: Masks, device: str
    ):
        """
        Args:
            words: names of the classes, background first.
        """
        self.network, self.processor, self.opt, self.device = network.eval().to(device), processor, opt, device
        self.words = [name.replace("_", " ").replace("-", " ").lower().strip() for name in words]
        self.weights = ""

    @classmethod
    def build(cls, opt: Masks, classes: Sequence[str], device: str) -> "TextBoxes":
        """Return the detector of a model's folder or of a name on the hub. Raises ModelFolderError."""
        folder = model_folders.folder_of(opt.text_boxes_model, OPTION)
        model_folders.kind_of(folder, KINDS, OPTION)
        try:
            from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor
        except ImportError as error:
            raise model_folders.missing_library(OPTION) from error
        network = model_folders.load(AutoModelForZeroShotObjectDetection, folder, OPTION)
        made = cls(network, AutoProcessor.from_pretrained(folder, local_files_only=True), classes, opt, device)
        made.weights = model_folders.digest(folder)
        provenance.tell(text_boxes_model=opt.text_boxes_model)
        return made

    @torch.no_grad()
    def prompts(self, image: np.ndarray, cls: int) -> list[Prompt]:
        """Return a prompt for every box of a class, the surest first; none where no box is sure enough."""
        height, width = image.shape[:2]
        asked = self.processor(
            images=image, text=f"{self.words[cls]}.", return_tensors="pt", input_data_format="channels_last"
        )
        found = self.network(**asked.to(self.device))
        scores = found.logits[0].float().sigmoid().amax(dim=1)
        x, y, w, h = found.pred_boxes[0].float().unbind(dim=1)
        boxes = torch.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], dim=1)
        boxes = (boxes * torch.tensor([width, height, width, height], device=boxes.device)).cpu().numpy()
        taken: list[tuple[int, int, int, int]] = []
        for k in scores.argsort(descending=True).tolist():
            if scores[k] < self.opt.text_score:
                break
            box = whole_pixels(boxes[k], height, width)
            if box and all(iou(box, other) < OVERLAP for other in taken):
                taken.append(box)
        return [Prompt(cls, "tag", box) for box in taken]


def whole_pixels(box: np.ndarray, height: int, width: int) -> tuple[int, int, int, int] | None:
    """Return a box of whole pixels inside the image, None where nothing is left of it."""
    x0, y0 = (max(0, int(np.floor(v + ROUNDED))) for v in box[:2])
    x1, y1 = min(width, int(np.ceil(box[2] - ROUNDED))), min(height, int(np.ceil(box[3] - ROUNDED)))
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def iou(one: Sequence[int], other: Sequence[int]) -> float:
    """Return the intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(0, width) * max(0, height)
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return both / (sum(areas) - both)
