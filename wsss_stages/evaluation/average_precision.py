"""Average precision of instances by COCO's own evaluation, with regions that count neither way."""

import contextlib
import io
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

NAMES = {
    "ap": ("all", slice(None)), "ap_50": ("all", 0), "ap_70": ("all", 4), "ap_75": ("all", 5),
    "ap_small": ("small", slice(None)), "ap_medium": ("medium", slice(None)), "ap_large": ("large", slice(None)),
}  # fmt: skip
"""Name of a mean to sizes of objects (below 32² pixels, above 96²) and IoU thresholds, of 0.5, 0.55 ... 0.95."""
MOST = 100
"""Detections of an image that count, the surest ones."""


def average_precision(truth: dict, void: dict[int, dict], detections: list[dict]) -> tuple[dict, dict]:
    """Return the means over classes by the names of NAMES, None without objects, and the same for each class by its number.

    Args:
        truth: COCO's instances JSON.  void: run-length code of each image's pixels that annotators left open.
        detections: COCO's results, without their pixels in void, and `in_void`, the share of these pixels. A
        detection without a matching object counts as wrong unless `in_void` reaches the IoU in question.
    """
    annotations = list(truth["annotations"])
    for image, category in sorted({(d["image_id"], d["category_id"]) for d in detections}):
        if image in void:
            annotations.append(_annotation(len(annotations) + 1, image, category, void[image], 0, iscrowd=1))
    found = [
        _annotation(number, d["image_id"], d["category_id"], d["segmentation"], d["area"], 0)
        | {"score": d["score"], "in_void": d["in_void"]}
        for number, d in enumerate(detections, 1)
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = _VoidEval(_coco(truth, annotations), _coco(truth, found), "segm")
        evaluation.params.maxDets = [MOST]
        evaluation.evaluate()
        evaluation.accumulate()
    sizes, numbers = evaluation.params.areaRngLbl, evaluation.params.catIds
    precision = evaluation.eval["precision"]  # thresholds, recalls, classes, sizes, 1; -1 without objects

    def means(classes) -> dict[str, float | None]:
        cut = {name: precision[at][..., classes, sizes.index(size), 0] for name, (size, at) in NAMES.items()}
        return {name: float(p[p > -1].mean()) if (p > -1).any() else None for name, p in cut.items()}

    return means(slice(None)), {number: means(k) for k, number in enumerate(numbers)}


class _VoidEval(COCOeval):
    """COCO's evaluation that ignores unmatched detections in the region that annotators left open, by the share of
    them in it.
    """

    _dts: dict[tuple[int, int], list[dict]]
    _gts: dict[tuple[int, int], list[dict]]

    def computeIoU(self, imgId, catId):
        ious: Any = super().computeIoU(imgId, catId)
        if len(ious):
            found = sorted(self._dts[imgId, catId], key=lambda d: -d["score"])[: self.params.maxDets[-1]]
            open_region = [bool(g["iscrowd"]) for g in self._gts[imgId, catId]]
            ious[:, open_region] = np.array([d["in_void"] for d in found])[:, None]
        return ious


def _annotation(number: int, image: int, category: int, code: dict, area: int, iscrowd: int) -> dict:
    return {
        "id": number, "image_id": image, "category_id": category, "segmentation": code, "area": area, "iscrowd": iscrowd,
    }  # fmt: skip


def _coco(truth: dict, annotations: list[dict]) -> COCO:
    made = COCO()
    content = {"images": truth["images"], "categories": truth["categories"], "annotations": annotations}
    made.dataset = content  # pyright: ignore[reportAttributeAccessIssue]
    made.createIndex()
    return made
