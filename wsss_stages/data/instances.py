"""The objects of images: from true masks, and in COCO's instances JSON, written and read again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.a2gnn.instances import bounds
from wsss_stages.data import rle
from wsss_stages.data.documents import is_number
from wsss_stages.data.images import read_labels
from wsss_stages.data.index import Index, Record
from wsss_stages.data.weak.simulate import objects
from wsss_stages.store import artifacts

UNNUMBERED = "images without numbered true objects, left out"
REMEDY = "Remake it: snakemake --forcerun s6_instance_masks"


@dataclass
class Objects:
    """Objects of one image: x0 y0 x1 y1 at full size, half open, classes 1..N, run-length codes of their masks."""

    boxes: list[list[int]] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)
    codes: list[dict] = field(default_factory=list)

    def masks(self) -> np.ndarray:
        """Return (k, h, w) bool of at least one object."""
        return np.stack([rle.decode(code, *code["size"]) for code in self.codes])


def true_objects(record: Record, index: Index) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return masks (k, h, w) bool of an image's true instances, their classes (k,) uint8 and (h, w) bool, the pixels
    that annotators left open.
    """
    assert record.instances, f"{record.id} has no instances"
    labels, instances = record.known_truth(index.root), read_labels(index.root / record.instances)
    found = objects(labels, instances)
    masks = np.array([mask for mask, _ in found], bool).reshape(-1, *labels.shape)
    void = ((labels == UNKNOWN) | (instances == UNKNOWN)) & ~masks.any(axis=0)
    return masks, np.array([cls for _, cls in found], np.uint8), void


def frame(index: Index, records: Sequence[Record]) -> dict:
    """Return COCO's instances JSON without annotations; images are numbered as `records`, from 1."""
    images = [
        {"id": number, "file_name": record.photo, "height": record.full_height, "width": record.full_width}
        for number, record in enumerate(records, 1)
    ]
    categories = [{"id": number, "name": name} for number, name in enumerate(index.classes) if number]
    return {"info": {"description": index.dataset}, "images": images, "categories": categories, "annotations": []}


def add(content: dict, image: int, masks: np.ndarray, boxes: np.ndarray, classes: np.ndarray) -> None:
    """Append the objects of image number `image`: masks (k, h, w) bool, boxes (k, 4), classes (k,)."""
    made = content["annotations"]
    areas = masks.sum(axis=(1, 2)).tolist()
    for code, area, (x0, y0, x1, y1), cls in zip(
        rle.encode(masks), areas, boxes.tolist(), classes.tolist(), strict=True
    ):
        made.append(
            {
                "id": len(made) + 1,
                "image_id": image,
                "category_id": cls,
                "bbox": [x0, y0, x1 - x0, y1 - y0],
                "area": area,
                "iscrowd": 0,
                "segmentation": code,
            }
        )


def add_truth(content: dict, image: int, record: Record, index: Index) -> np.ndarray:
    """Append an image's true instances with their tight boxes; (h, w) bool the pixels that annotators left open."""
    masks, classes, void = true_objects(record, index)
    add(content, image, masks, bounds(masks), classes)
    return void


def by_photo(content: Any, index: Index, where: str) -> dict[str, Objects]:
    """Return objects by the photograph's path. Raises ContractError if the JSON has other classes than the index."""
    try:
        names = [category["name"] for category in content["categories"]]
        if names != index.classes[1:]:
            raise artifacts.ContractError(f"{where} has the classes {names}, the index {index.classes[1:]}. {REMEDY}")
        found = {image["id"]: (image["file_name"], Objects()) for image in content["images"]}
        sizes = {record.photo: (record.full_height, record.full_width) for record in index.records.values()}
        for annotation in content["annotations"]:
            photo, objects = found[annotation["image_id"]]
            _append(objects, annotation, *sizes[photo], len(names))
        return dict(found.values())
    except (KeyError, TypeError, AttributeError, rle.RleError) as error:
        what = f"{type(error).__name__}: {error}"
        raise artifacts.ContractError(f"{where} is no JSON of this index's instances ({what}). {REMEDY}") from error


def _append(objects: Objects, annotation: dict, height: int, width: int, classes: int) -> None:
    """Append one object of an image of this size. Raises TypeError or RleError for an invalid object."""
    box, cls, code = (annotation[key] for key in ("bbox", "category_id", "segmentation"))
    if not (isinstance(box, list) and len(box) == 4 and all(map(is_number, box))):
        raise TypeError(f"box {box!r}")
    if type(cls) is not int or not 1 <= cls <= classes:
        raise TypeError(f"category {cls!r}")
    rle.decode(code, height, width)
    x, y, w, h = box
    objects.boxes.append([x, y, x + w, y + h])
    objects.classes.append(cls)
    objects.codes.append(code)
