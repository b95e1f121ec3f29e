"""Weak labels and class activation maps of images to confident seeds (Eqs. 2.4-2.7, 3.1-3.5, Sec. 3.6.1)."""

import heapq
from collections.abc import Callable

import cv2
import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.a2gnn.fuse import checked, first_known, fuse
from wsss_stages.config.options import Seeds
from wsss_stages.data.index import Index, stable_hash
from wsss_stages.labels import cam as cams
from wsss_stages.labels import grabcut, levels, reliable, superpixels
from wsss_stages.labels.boxes import allowed
from wsss_stages.labels.prompt_labels import agreeing, by_masks
from wsss_stages.labels.prompt_masks import StoredMasks
from wsss_stages.shards.manifest import Manifest
from wsss_stages.shards.shard import Item, Shard
from wsss_stages.store import contracts
from wsss_stages.store.check_finite import finite
from wsss_stages.store.prefetch import Prefetch
from wsss_stages.store.progress import progress

STAGE, MAKER, MAPS = "s3_seeds", "s2_cam", "the class activation maps"
SAMPLE = 500
"""Most images that quantiles are taken over, chosen by a hash of their ids."""
Found = tuple[dict, dict[str, int]]
"""Maps by the names of their contracts, and notes."""


def levels_of(manifest: Manifest, opt: Seeds) -> levels.Levels:
    """Return the levels of a sample of CAMs, in hundredths: one image more or less hardly ever changes all seeds."""
    ids = heapq.nsmallest(SAMPLE, manifest.items, key=lambda image_id: stable_hash(image_id, STAGE, "levels"))
    stored = ((image_id, manifest.read(image_id, contracts.CAM)["cam"]) for image_id in ids)
    maps = [finite(cam.astype(np.float32), MAPS, STAGE, image_id, MAKER) for image_id, cam in stored]
    shares = opt.cam_normalise, opt.background_share, opt.foreground_share
    return levels.Levels(*(round(level, 2) for level in levels.of_cams(maps, *shares)))


class Seeder:
    """The work of s3_seeds on images that carry one kind of weak label, or any (`mixed`)."""

    def __init__(self, index: Index, opt: Seeds, between: levels.Levels | None, device: str, masked: bool):
        """
        Args:
            between: the levels of the CAMs, for quantiles; None where thresholds are fixed.
            masked: whether s3_masks made masks of the weak labels.
        """
        self.index, self.opt, self.between, self.device = index, opt, between, device
        self.mining, self.masked = opt.fill(reliable.Mining), masked
        by_kind: dict[str, Callable[..., Found]] = {
            "box": self.by_boxes,
            "scribble": self.by_marks,
            "point": self.by_marks,
            "tag": self.by_tags,
            "mixed": self.by_all,
        }
        self.by_weak_label = by_kind[index.weak]

    def run(self, shard: Shard) -> None:
        """Make every image of the shard that is not whole yet."""
        for item, image in progress(Prefetch(shard.todo(), lambda item: item.image), STAGE):
            item.write(*self.made(item, image))
        shard.finish()

    def made(self, item: Item, image: np.ndarray) -> Found:
        """Return the maps of an image, and notes on substitutions and on the share of known pixels."""
        M_I, M_I_top = self.cam_labels(item, image)
        found, notes = self.by_weak_label(item, image, M_I, M_I_top)
        if item.record.corrected:
            found = {name: first_known([self.by_hand(item), label]) for name, label in found.items()}
        counts = levels.counts(found["seeds"], np.array(item.record.tags, np.uint8))
        return {"cam_label": M_I, **found}, notes | {levels.NOTE + name: count for name, count in counts.items()}

    def cam_labels(self, item: Item, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return M_I and M'_I."""
        stored = item.read(contracts.CAM)
        h, w = image.shape[:2]
        classes = stored["classes"]
        cam = finite(cams.enlarge(stored["cam"], h, w), MAPS, STAGE, item.id, MAKER)
        if self.opt.cam_in_boxes and self.index.weak == "box":
            cam = cam * allowed(*item.record.box_arrays(), classes, h, w)[1:]
        return reliable.mined(image, cam, classes, self.mining, self.between, self.device, item.id)

    def by_boxes(self, item: Item, image: np.ndarray, M_I: np.ndarray, M_I_top: np.ndarray) -> Found:
        """Return M_B of the masks of boxes, M_F and M_g."""
        opt = self.opt
        boxes, classes = item.record.box_arrays()
        stored = self.masks(item)
        of_boxes = stored.of("box")
        owner = grabcut.winners(stored.hard[of_boxes])
        M_B = grabcut.label(owner, boxes, classes, opt.background_in_boxes)
        M_F, unseen = fuse(M_B=M_B, M=M_I, M_I=M_I, owner=owner, boxes=boxes, classes=classes)
        M_g = M_F
        if opt.fusion != "literal_eq_3_5":
            M_g, _ = fuse(M_B=M_B, M=M_I_top, M_I=M_I, owner=owner, boxes=boxes, classes=classes)
        notes = {
            "boxes": len(boxes),
            "boxes_substituted": int(stored.substituted[of_boxes].sum()),
            "box_class_not_in_cam": unseen,
            "images_without_boxes": int(len(boxes) == 0),
        }
        M_checked = checked(M_B=M_B, M_I=M_I, owner=owner, boxes=boxes, classes=classes)
        return {"grabcut": M_B, "checked": M_checked, "seeds_full": M_F, "seeds": M_g}, notes

    def by_hand(self, item: Item) -> np.ndarray:
        """Return (h, w) classes of the mask that may be learned from, 255 where it is open."""
        mask = item.record.learned_mask(self.index.root)
        return cv2.resize(mask, item.size[::-1], interpolation=cv2.INTER_NEAREST)

    def masks(self, item: Item) -> StoredMasks:
        """Return the masks of an image's prompts."""
        return StoredMasks(item.read(contracts.MASKS), item.record.width)

    def expanded(self, item: Item, image: np.ndarray) -> tuple[np.ndarray, int]:
        """Return M_S, or M_P, or both with scribbles before points; and how many classes neither mask nor superpixel took."""
        parts = superpixels.superpixels(image, self.opt.superpixels, self.opt.compactness)
        scribbles = self.index.scribble_labels(item.record)
        marks = [superpixels.clicked(item.record.points, *item.size)]
        if scribbles is not None:
            marks.insert(0, scribbles)
        stored = self.masks(item) if self.masked else None
        if stored is not None and (of_marks := stored.of("scribble", "point")).any():
            found = stored.hard[of_marks], stored.classes[of_marks], stored.substituted[of_marks]
            M_S = by_masks(marks, parts, *found)
        else:
            M_S = first_known([superpixels.spread(m, parts) for m in marks])
        lost = set(np.unique(first_known(marks)).tolist()) - set(np.unique(M_S).tolist())
        return M_S, len(lost - {UNKNOWN})

    def by_marks(self, item: Item, image: np.ndarray, M_I: np.ndarray, M_I_top: np.ndarray) -> Found:
        """Return the maps of scribbles or points."""
        M_S, lost = self.expanded(item, image)
        found = {"expanded": M_S, "seeds_full": first_known([M_S, M_I]), "seeds": first_known([M_S, M_I_top])}
        return found, {"class_lost_among_superpixels": lost}

    def by_tags(self, item: Item, image: np.ndarray, M_I: np.ndarray, M_I_top: np.ndarray) -> Found:
        """Return the maps of tags, with masks M_B among them, and of saliency where there is any."""
        M_B, M_F, M_g = self.with_tags(item, M_I, M_I_top)
        found = {"grabcut": M_B} if self.masked else {}
        saliency = self.index.saliency(item.record)
        if saliency is None:
            return {**found, "seeds_full": M_F, "seeds": M_g}, {}
        known = set(np.unique(M_g).tolist())
        M_F, M_g = reliable.with_saliency(M_F, M_g, saliency >= self.opt.salient)
        lost = known - {*np.unique(M_g).tolist(), UNKNOWN}
        return {**found, "seeds_full": M_F, "seeds": M_g}, {"class_lost_to_saliency": len(lost)}

    def with_tags(self, item: Item, M_I: np.ndarray, M_I_top: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return M_B, M_F and M_g of the masks of tags; without any these are M_I, M_I and M'_I."""
        stored = self.masks(item) if self.masked else None
        if stored is None or not (useful := stored.of("tag") & ~stored.substituted).any():
            return M_I, M_I, M_I_top
        masks, classes = stored.hard[useful], stored.classes[useful]
        M_B, M_F = agreeing(M_I, M_I, masks, classes)
        return M_B, M_F, agreeing(M_I_top, M_I, masks, classes)[1]

    def by_all(self, item: Item, image: np.ndarray, M_I: np.ndarray, M_I_top: np.ndarray) -> Found:
        """Return the maps of all labels of an image: truth before scribbles and points, these before boxes, these before CAMs."""
        record = item.record
        boxes, notes = self.by_boxes(item, image, M_I, M_I_top)
        M_B = boxes["grabcut"]
        if not record.all_boxed:
            M_B[M_B == 0] = UNKNOWN
        M_S, lost = self.expanded(item, image)
        layers = [M_S, M_B]
        if record.truth_sha256:
            layers.insert(0, self.by_hand(item))
        _, M_F, M_g = self.with_tags(item, M_I, M_I_top)
        found = {
            "grabcut": M_B,
            "checked": np.where(M_B == UNKNOWN, UNKNOWN, boxes["checked"]),
            "expanded": M_S,
            "seeds_full": first_known([*layers, M_F]),
            "seeds": first_known([*layers, M_g]),
        }
        return found, {**notes, "class_lost_among_superpixels": lost}
