"""A stand-in for a better mask source: masks of boxes from truth with known errors, for `masks: {source: folder}`. A simulation.

    python bench/mask_stand_in.py results/voc_mini/box/index.json --out masks --images 166 --index masks.json

writes OUT/ID/K.png, 0 or 255, for box K of training image ID, and prints how well the masks agree with truth, by the size of the
object. What the stages make of them shows what object network, A²GNN and CRF add to masks of that quality; how good the masks of a
promptable network are on your photographs it does not show.

The mask of a box is that of the true object whose bounds agree best with it, or, where objects are not numbered, the pixels of its
class inside it. Its errors are drawn from (seed, image, box):

- outline: the distance to the outline plus smooth noise, of OUTLINE_PIXELS and OUTLINE_SHARE of the root of the object's area;
- shift: along both axes, up to SHIFT of that root;
- part missing, with the probability MISSING of its size: a straight cut leaves away a fifth to a half of the object;
- wrong instance, with the probability WRONG where the box shows another object: that one's pixels inside the box;
- complement, with the probability COMPLEMENT: the rest of the box.

The rates are chosen, none is a measurement of a model. They follow what is published of SAM's masks from boxes in kind: against a mask
head that was trained on the data, most of what it loses is in large objects, of which it takes parts (SAM ViT-H from ViTDet-H's boxes on COCO,
mask AP 33.6, 51.9 and 57.7 of small, medium and large objects, EdgeSAM's README; ViTDet-H's own head 32.0, 54.3 and 68.9, Kirillov et
al. 2023, Table 5); it may answer with the complement (issue 446 of facebookresearch/sam2). No mean IoU of such masks on VOC was found, so that
about 0.75, 0.83 and 0.86 of small, medium and large objects is the aim.
"""

import argparse
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from quality import BINS
from rich.console import Console
from rich.progress import track
from rich.table import Table

from wsss_stages import UNKNOWN
from wsss_stages.a2gnn.instances import bounds
from wsss_stages.data.index import Index, Record, stable_hash
from wsss_stages.data.instances import true_objects

OUTLINE_PIXELS, OUTLINE_SHARE = 0.9, 0.02
SHIFT = 0.02
MISSING = {"small": 0.03, "medium": 0.08, "large": 0.13}
WRONG = 0.02
COMPLEMENT = 0.01
WAVES = 5
"""Nodes of the smooth noise along a side of the box."""
SAME = 0.5
"""Least IoU of a box with the bounds of the true object that it is of."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("of", type=Path, help="index.json of the boxes")
    parser.add_argument("--out", type=Path, required=True, help="folder to write the masks to")
    parser.add_argument("--images", type=int, default=0, help="training images, chosen by a hash of their ids; 0 = all")
    parser.add_argument("--index", type=Path, help="also write the index of these images here")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    index = Index.read(args.of).sample("train", args.images)
    if args.index:
        index.write(args.index)
    found: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for record in track([r for r in index.split("train") if r.truth and r.boxes], "masks"):
        (args.out / record.id).mkdir(parents=True, exist_ok=True)
        truths, void = objects_of_boxes(record, index)
        for k, (truth, box) in enumerate(zip(truths, record.full_boxes(), strict=True)):
            rng = np.random.default_rng(stable_hash(record.id, "bench.mask_stand_in", args.seed, k))
            others = np.delete(truths, k, axis=0)
            mask, kind = spoilt(truth, others, box, rng)
            Image.fromarray(mask.astype(np.uint8) * 255).save(args.out / record.id / f"{k}.png")
            if truth.any():
                found[size_of(truth)].append((kind, iou(mask, truth, void)))
    show(found)


def objects_of_boxes(record: Record, index: Index) -> tuple[np.ndarray, np.ndarray]:
    """(k, h, w) bool: the true mask of every box, empty where truth shows none, and (h, w) bool: pixels that are not counted."""
    labels = record.truth_labels(index.root)
    masks, classes = np.zeros((0, *labels.shape), bool), np.zeros(0, np.uint8)
    if record.instances:
        masks, classes, _ = true_objects(record, index)
    around = bounds(masks)
    found = []
    for box, c in zip(record.full_boxes(), record.box_classes, strict=True):
        alike = np.array([overlap(box, other) if c == of else 0.0 for other, of in zip(around, classes, strict=True)])
        inside = within(box, labels.shape)
        found.append(inside & (masks[alike.argmax()] if alike.max(initial=0) >= SAME else labels == c))
    return np.stack(found), labels == UNKNOWN


def spoilt(truth: np.ndarray, others: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, str]:
    """(h, w) bool: a true mask with errors, inside its box, and the kind of the largest one.

    Args:
        truth: (h, w) bool.  others: (n, h, w) bool, of other boxes of the image.  box: x0 y0 x1 y1, half open.
    """
    inside = within(box, truth.shape)
    kind, cut_at, angle = rng.random(), rng.uniform(0.2, 0.5), rng.uniform(0, 2 * np.pi)
    other = max((o & inside & ~truth for o in others), key=np.count_nonzero, default=np.zeros_like(truth))
    if kind < COMPLEMENT:
        return inside & ~truth, "complement"
    if kind < COMPLEMENT + WRONG and other.any():
        return moved(other, box, rng), "wrong instance"
    mask = moved(truth, box, rng)
    if kind > 1 - MISSING[size_of(truth)] and mask.any():
        y, x = np.nonzero(mask)
        along = np.cos(angle) * x + np.sin(angle) * y
        mask = mask.copy()
        mask[y, x] = along >= np.quantile(along, cut_at)
        return mask, "part missing"
    return mask, "outline"


def moved(mask: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(h, w) bool: a mask shifted, and its outline moved in and out in waves, inside the box."""
    x0, y0, x1, y1 = box
    root = np.sqrt(max(1, np.count_nonzero(mask)))
    part = np.uint8(mask[y0:y1, x0:x1])
    dx, dy = rng.uniform(-SHIFT, SHIFT, 2) * root
    height, width = part.shape
    at = np.float32([[1, 0, dx], [0, 1, dy]])
    framed = cv2.copyMakeBorder(
        part, 1, 1, 1, 1, cv2.BORDER_REPLICATE
    )  # where the box cuts the object there is no outline
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - framed, cv2.DIST_L2, 5)
    depth = np.where(framed > 0, depth - 0.5, depth + 0.5)[1:-1, 1:-1]
    if part.all():
        depth = np.full(part.shape, root, np.float32)
    depth = cv2.warpAffine(depth.astype(np.float32), at, (width, height), borderMode=cv2.BORDER_REPLICATE)
    noise = cv2.resize(
        rng.standard_normal((WAVES, WAVES)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    found = np.zeros_like(mask)
    found[y0:y1, x0:x1] = depth + (OUTLINE_PIXELS + OUTLINE_SHARE * root) * noise > 0
    return found


def within(box: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """(h, w) bool: the pixels of a box."""
    inside = np.zeros(size, bool)
    inside[box[1] : box[3], box[0] : box[2]] = True
    return inside


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """IoU of two boxes."""
    width, height = (min(a[i + 2], b[i + 2]) - max(a[i], b[i]) for i in (0, 1))
    both = max(0, width) * max(0, height)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return float(both / (sum(areas) - both))


def iou(mask: np.ndarray, truth: np.ndarray, void: np.ndarray) -> float:
    """Return the IoU over the pixels that are counted."""
    counted = ~void | truth
    return float((mask & truth).sum() / ((mask | truth) & counted).sum())


def size_of(mask: np.ndarray) -> str:
    """Return the name of an object's size: small, medium or large."""
    area = np.count_nonzero(mask)
    return next(
        name for name, (low, high) in zip(BINS, pairwise([0, *BINS.values()]), strict=True) if low <= area < high
    )


def show(found: dict[str, list[tuple[str, float]]]) -> None:
    """Print number and mean IoU of the masks by size of the object and kind of error."""
    table = Table("objects", "number", "mean IoU", "outline", "part missing", "wrong instance", "complement")
    for size in BINS:
        by_kind: dict[str, list[float]] = defaultdict(list)
        for kind, value in found[size]:
            by_kind[kind].append(value)
        cells = [
            f"{len(by_kind[kind])}: {np.mean(by_kind[kind] or [np.nan]):.2f}"
            for kind in ("outline", "part missing", "wrong instance", "complement")
        ]
        mean = np.mean([value for _, value in found[size]] or [np.nan])
        table.add_row(size, str(len(found[size])), f"{mean:.3f}", *cells)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
