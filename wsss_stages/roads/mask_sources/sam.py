"""Promptable segmenters of transformers as a source: SAM, SAM-HQ, SAM 2 and SAM 3's tracker, by the kind of the model's folder."""

import sys
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from wsss_stages.config.options import Masks
from wsss_stages.data.index import Index, Record
from wsss_stages.labels import mask_rules as rules
from wsss_stages.labels.connected import bounds
from wsss_stages.labels.prompt_masks import PromptMasks, Soft, substitute
from wsss_stages.labels.prompts import KINDS, Prompt
from wsss_stages.labels.superpixels import superpixels
from wsss_stages.nets.precision import precision
from wsss_stages.nets.promptable import PADDED, Answers, Embedded, Promptable
from wsss_stages.roads.mask_sources import Given, Notes, mask_source
from wsss_stages.store import provenance
from wsss_stages.store.check_finite import NotFiniteError
from wsss_stages.training import memory, model_folders

FAMILIES = {
    "sam": "SamModel",
    "sam_hq": "SamHQModel",
    "sam2": "Sam2Model",
    "sam2_video": "Sam2Model",
    "sam3_tracker": "Sam3TrackerModel",
    "sam3_tracker_video": "Sam3TrackerModel",
    "sam3_video": "Sam3TrackerModel",
}
"""Class of transformers by `model_type` of config.json; the published files of SAM 2 and 3 are those of their video models."""
OPTION = "masks.model"
PARTS = 400, 10.0
"""Number and compactness of the superpixels that an answer to a click should follow, as of `seeds`."""
ANSWERS = 3
"""Answers to a prompt that is ambiguous."""
FAINT = 0.02
"""Probability below which a pixel is outside of a soft mask's region."""
SHORT = ("allocate memory", "not enough memory")
"""Words of the errors of torch's allocators on a CPU."""
HALVED = "sam_prompts_at_once_halved"
"""Note of an image whose prompts were asked in smaller parts, as they did not fit into memory at once."""


@mask_source("sam")
class Sam:
    """A promptable segmenter that is asked for all prompts of an image, whose embeddings are made once."""

    kinds: tuple[str, ...] = KINDS

    def __init__(self, network: Promptable, name: str, opt: Masks, weights: str = ""):
        """
        Args:
            name: of the model, for messages.  weights: sha256.
        """
        self.network, self.name, self.opt, self.weights = network, name, opt, weights
        self.at_once = opt.prompts_at_once

    @classmethod
    def build(cls, opt: Masks, index: Index, device: str) -> "Sam":
        """Return the source of a model's folder or of a name on the hub. Raises ModelFolderError."""
        folder = model_folders.folder_of(opt.model, OPTION)
        family = FAMILIES[model_folders.kind_of(folder, tuple(FAMILIES), OPTION)]
        try:
            import transformers
        except ImportError as error:
            raise model_folders.missing_library(OPTION) from error
        model = model_folders.load(getattr(transformers, family), folder, OPTION)
        pixels = model_folders.processor(folder, OPTION)
        dtype = precision(opt.precision, device)
        provenance.tell(model=opt.model, family=family, precision=str(dtype))
        return cls(Promptable(model, pixels, device, dtype), opt.model, opt, model_folders.digest(folder))

    def evidence(self, record: Record) -> Any:
        """Return nothing more than the image, its labels and the network."""
        return None

    def __call__(self, given: Given, prompts: Sequence[Prompt]) -> tuple[PromptMasks, Notes]:
        """Return hard and soft masks; those that are no answer to their prompts are substituted."""
        height, width = given.image.shape[:2]
        asked = [checked(prompt, height, width) for prompt in prompts]
        image = self.network.embed(given.image)
        hard = np.zeros((len(asked), height, width), bool)
        reasons, confidence, soft = [""] * len(asked), np.zeros(len(asked)), [Soft((0, 0, 0, 0), NOTHING)] * len(asked)
        parts = superpixels(given.image, *PARTS) if given.cam is not None and any(map(ambiguous, asked)) else None
        for numbers in batches(asked, self.opt.prompts_at_once):
            answers = self.answers(given, image, [asked[k] for k in numbers])
            for k, logits, iou in zip(numbers, answers.logits.cpu().numpy(), answers.iou.cpu().numpy(), strict=True):
                chosen = self.chosen(given, asked[k], logits, iou, parts)
                found = rules.tidied(logits[chosen] > 0, self.opt.speck_share)
                reasons[k] = rules.fault(found, asked[k], self.opt.min_share)
                if not reasons[k]:
                    hard[k] = rules.clipped(found, asked[k])
                    confidence[k], soft[k] = np.clip(iou[chosen], 0, 1), softened(logits[chosen], found, asked[k])
        notes = {HALVED: 1} if self.at_once < min(len(asked), self.opt.prompts_at_once) else {}
        return PromptMasks(substitute(hard, reasons, prompts), reasons, confidence, soft), notes

    def answers(self, given: Given, image: Embedded, prompts: list[Prompt]) -> Answers:
        """Return the answers to prompts of one form, at most `at_once` at a time, fewer where memory is short.

        Raises NotFiniteError, naming model and image, for logits that are no numbers.
        """
        found: list[Answers] = []
        done = 0
        while done < len(prompts):
            part = prompts[done : done + self.at_once]
            try:
                made = self.network.answers(image, *arrays(part), several=ambiguous(part[0]))
            except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
                self.halve(error, given.record.id)
                continue
            found.append(made)
            done += len(part)
        answers = Answers(torch.cat([one.logits for one in found]), torch.cat([one.iou for one in found]))
        good = torch.isfinite(answers.logits)
        if not (good.all() and torch.isfinite(answers.iou).all()):
            raise NotFiniteError(
                f"s3_masks, image {given.record.id}: {int((~good).sum())} of {good.numel()} logits of {self.name} are NaN or infinite, "
                "wanted numbers; no mask of this image was written. Set masks.precision to float32, or use another model."
            )
        return answers

    def halve(self, error: Exception, name: str) -> None:
        """Halve the number of prompts at once, for all images to come, after an error of memory. Raises the error if it is another one or there is one prompt."""
        short = isinstance(error, torch.OutOfMemoryError | MemoryError) or any(word in str(error) for word in SHORT)
        if not short or self.at_once == 1:
            raise error
        self.at_once //= 2
        sys.stderr.write(f"s3_masks: out of memory at image {name}; from now on {self.at_once} prompts at once\n")
        memory.release()

    def chosen(
        self, given: Given, prompt: Prompt, logits: np.ndarray, iou: np.ndarray, parts: np.ndarray | None
    ) -> int:
        """Return the number of the answer to take."""
        if len(logits) == 1:
            return 0
        classes = list(given.cam_classes)
        cam = given.cam[classes.index(prompt.cls)] if given.cam is not None and prompt.cls in classes else None
        return rules.best(logits > 0, iou, cam, parts)


NOTHING = np.zeros((0, 0), np.uint8)


def checked(prompt: Prompt, height: int, width: int) -> Prompt:
    """Return a prompt whose box is clipped to the image. Raises ValueError for one that is inverted or outside.

    A network takes an inverted box in silence and answers it with the complement.
    """
    if prompt.box is None:
        return prompt
    x0, y0, x1, y1 = prompt.box
    box = (max(0, x0), max(0, y0), min(width, x1), min(height, y1))
    if not (box[0] < box[2] and box[1] < box[3]):
        raise ValueError(
            f"found box {x0} {y0} {x1} {y1}; wanted x0 < x1 and y0 < y1 inside the image of {width}x{height}. Correct the annotation."
        )
    return Prompt(prompt.cls, prompt.kind, box, prompt.inside, prompt.outside)


def ambiguous(prompt: Prompt) -> bool:
    """Return whether a prompt is a single point, which may mean a part, the object, or all around it."""
    return prompt.box is None and len(prompt.inside) == 1


def batches(prompts: Sequence[Prompt], most: int) -> list[list[int]]:
    """Return the numbers of prompts of one form each, with or without box and points, at most `most` masks together."""
    forms = defaultdict(list)
    for k, prompt in enumerate(prompts):
        forms[prompt.box is None, not len(prompt.inside), ambiguous(prompt)].append(k)
    found = []
    for (_, _, several), numbers in forms.items():
        step = max(1, most // ANSWERS) if several else most
        found += [numbers[at : at + step] for at in range(0, len(numbers), step)]
    return found


def arrays(prompts: Sequence[Prompt]) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]:
    """Return boxes, points and labels of prompts of one form, None of what they lack; fewer points than others have are padded."""
    boxes = None if prompts[0].box is None else np.array([prompt.box for prompt in prompts], np.float64)
    most = max(len(prompt.inside) + len(prompt.outside) for prompt in prompts)
    if not len(prompts[0].inside):
        return boxes, None, None
    points, labels = np.zeros((len(prompts), most, 2)), np.full((len(prompts), most), PADDED)
    for k, prompt in enumerate(prompts):
        inside, given = len(prompt.inside), len(prompt.inside) + len(prompt.outside)
        points[k, :given] = np.concatenate([prompt.inside, prompt.outside])
        labels[k, :inside], labels[k, inside:given] = 1, 0
    return boxes, points, labels


def softened(logits: np.ndarray, found: np.ndarray, prompt: Prompt) -> Soft:
    """Return the probabilities of a mask; specks and holes that were removed are 0 and 1 in them, and a weak label's box bounds them."""
    P = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
    changed = found != (logits > 0)
    P[changed] = found[changed]
    seen = rules.clipped(found | (P > FAINT), prompt)
    region = bounds(seen)
    return Soft(region, np.rint(P[region[1] : region[3], region[0] : region[2]] * 255).astype(np.uint8))
