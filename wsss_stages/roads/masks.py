"""Weak labels of images to the masks of their prompts, by one of the mask sources (DESIGN, decision 11)."""

from collections import Counter

import cv2
import numpy as np
from jaxtyping import UInt8

from wsss_stages.a2gnn.instances import box_masks
from wsss_stages.config.options import Masks
from wsss_stages.data.index import Index
from wsss_stages.data.record import Record
from wsss_stages.labels import cam as cams
from wsss_stages.labels import prompts as by
from wsss_stages.labels.prompt_masks import PromptMasks, Soft, pack
from wsss_stages.labels.prompts import Prompt
from wsss_stages.roads.mask_sources import Given, MaskSource, Notes
from wsss_stages.roads.text_boxes import TextBoxes
from wsss_stages.shards.shard import Item, Shard
from wsss_stages.store import contracts
from wsss_stages.store.check_finite import finite
from wsss_stages.store.prefetch import Prefetch
from wsss_stages.store.progress import progress

STAGE = "s3_masks"


class Masker:
    """The work of s3_masks on images."""

    def __init__(
        self, index: Index, opt: Masks, source: MaskSource, with_cams: bool, text_boxes: TextBoxes | None = None
    ):
        """
        Args:
            with_cams: whether prompts come from CAMs, or answers are chosen by them.  text_boxes: detector of tags by words.
        """
        self.index, self.opt, self.source = index, opt, source
        self.with_cams, self.text_boxes = with_cams, text_boxes

    def run(self, shard: Shard) -> None:
        """Make every image of the shard that is not whole yet."""
        for item, image in progress(Prefetch(shard.todo(), lambda item: item.image), STAGE):
            item.write(*self.made(item, image))
        shard.finish()

    def made(self, item: Item, image: np.ndarray) -> tuple[dict, Notes]:
        """Return the packed masks of an image, and notes on what was substituted."""
        given = Given(item.record, image, *self.cam(item)) if self.with_cams else Given(item.record, image)
        prompts = self.prompts(given)
        if prompts:
            made, notes = self.source(given, prompts)
        else:
            made, notes = PromptMasks(np.zeros((0, *item.size), bool), [], np.zeros(0)), {}
        if given.record.corrected:
            mask = given.record.learned_mask(self.index.root)
            made = by_hand(made, prompts, cv2.resize(mask, item.size[::-1], interpolation=cv2.INTER_NEAREST))
        counts = Counter(filter(None, made.reasons))
        return {"masks": pack(prompts, made)}, {**notes, **counts, "prompts": len(prompts)}

    def cam(self, item: Item) -> tuple[np.ndarray, list[int]]:
        """Return the CAMs of an image at its working size, and their classes."""
        stored = item.read(contracts.CAM)
        cam = finite(cams.enlarge(stored["cam"], *item.size), "the class activation maps", STAGE, item.id, "s2_cam")
        return cam, stored["classes"].tolist()

    def prompts(self, given: Given) -> list[Prompt]:
        """Return the prompts of an image that the source takes: of boxes, scribbles, clicks, and tags of classes without any of these."""
        record = given.record
        marks = self.index.scribble_labels(record) if "scribble" in self.source.kinds else None
        prompts = by.of_boxes(*record.box_arrays())
        if marks is not None:
            prompts += by.of_scribbles(marks, self.opt.scribble_points)
        if "point" in self.source.kinds:
            prompts += by.of_clicks(record.points)
        if "tag" in self.source.kinds and "tag" in asked(record, self.index.weak):
            missing = [c for c in record.tags if c not in {prompt.cls for prompt in prompts}]
            prompts += self.of_tags(given, missing)
        return prompts

    def of_tags(self, given: Given, classes: list[int]) -> list[Prompt]:
        """Return the prompts of tags: boxes by words, of classes without any parts of their CAMs; without CAMs one of each without a place."""
        if given.cam is None:
            return by.of_tags(classes)
        worded = [self.text_boxes.prompts(given.image, c) for c in classes] if self.text_boxes else []
        prompts = [prompt for found in worded for prompt in found]
        left = [c for c in classes if c not in {prompt.cls for prompt in prompts}]
        return prompts + by.of_cams(given.cam, given.cam_classes, left, self.opt.tag_parts, self.opt.tag_level)


def by_hand(made: PromptMasks, prompts: list[Prompt], mask: UInt8[np.ndarray, "h w"]) -> PromptMasks:
    """Return the masks of an image's prompts with those of boxes cut from a mask that a person has corrected.

    Where boxes of one class overlap, the pixel is the smaller one's. A box without a pixel of its class keeps the source's mask.
    """
    numbers = [k for k, prompt in enumerate(prompts) if prompt.kind == "box"]
    boxes = np.array([prompts[k].box for k in numbers], int).reshape(-1, 4)
    cut = box_masks(mask, boxes, np.array([prompts[k].cls for k in numbers], np.uint8), "smaller")
    hard, reasons, confidence = made.hard.copy(), [*made.reasons], made.confidence.copy()
    soft = [*made.soft] if made.soft else None
    for k, box, own in zip(numbers, boxes.tolist(), cut, strict=True):
        if own.any():
            hard[k], reasons[k], confidence[k] = own, "", 1
            if soft is not None:
                x0, y0, x1, y1 = box
                soft[k] = Soft((x0, y0, x1, y1), own[y0:y1, x0:x1].astype(np.uint8) * 255)
    return PromptMasks(hard, reasons, confidence, soft)


def asked(record: Record, weak: str) -> list[str]:
    """Return the kinds of labels of an image that a run learns from; of a run on one kind, this one."""
    return record.kinds if weak == "mixed" else [weak]
