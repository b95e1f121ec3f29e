"""One image's annotations of COCO's instances JSON: the objects, the pixels that they cover, and the defects.

Rules, of an annotation:
- an unknown category, a box or polygon more than a pixel outside the image, numbers that are none, and a broken run-length code are
  findings: nothing is imported until they are corrected;
- a box up to a pixel outside is clipped; boxes are widened to whole pixels; one that is not there is the mask's (data.coco_shapes);
- a crowd region is no object: unknown (255) in truth, and without a box;
- an object of the category `background` is background in truth, and without a box;
- an object of fewer than SMALLEST pixels, or with a box that has no area, is unknown in truth, and without a box;
- an object given twice, of one category and with one box and mask, is taken once;
- an object without a mask leaves its image without truth, its box is used.
Where objects overlap, the pixel is the smaller one's. An image of more objects than 8 bits can number has classes in its truth, but
no numbered masks. All of this is counted.
"""

from dataclasses import dataclass, field

import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.data.findings import shown
from wsss_stages.data.importers.coco_content import Id
from wsss_stages.data.importers.coco_shapes import Frame, ProblemError, Shape, read_shape

SMALLEST = 10
"""Pixels of an object's mask."""
USED = {"id", "image_id", "category_id", "bbox", "segmentation", "iscrowd", "area"}
"""Keys of an annotation that are understood; an area is the mask's own."""
MARKS = {"0": False, "0.0": False, "false": False, "": False, "1": True, "1.0": True, "true": True}
CROWD = "crowd regions, unknown in truth and without box"
TINY = f"objects under {SMALLEST} pixels, unknown in truth and without box"
BOX_ONLY = "images with objects that have no mask, without truth"
COVERED = "objects covered by smaller ones, not in truth"
EMPTY = "images without objects"
BACKGROUND = "objects of category background, background in truth and without box"
TWICE = "boxes given twice, taken once"
TOO_MANY = f"images of more than {UNKNOWN - 1} objects, without numbered masks"
MARK = "iscrowd written as text, read as a number"
KEY = "annotation key {}, not used"


@dataclass
class Found:
    """The objects in an image's annotations."""

    boxes: list[list[int]] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)
    labels: np.ndarray | None = None
    """(h, w) uint8 classes, 255 unknown; None without truth."""
    instances: np.ndarray | None = None
    """(h, w) uint8 number of the object, from 1, 255 unknown; None without truth, and of more objects than 254."""
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    """Found, wanted, remedy."""
    notes: dict[str, int] = field(default_factory=dict)

    def note(self, text: str) -> None:
        self.notes[text] = self.notes.get(text, 0) + 1


def read(annotations: list[dict], frame: Frame, class_of: dict[Id, int]) -> Found:
    """Return the objects of an image. `class_of` maps category ids to classes 1..N, and those of the background to 0."""
    found = Found()
    objects: list[Shape] = []
    background: list[Shape] = []
    unknown: list[Shape] = []
    alike: dict[tuple, list[Shape]] = {}
    for annotation in annotations:
        for key in sorted(annotation.keys() - USED):
            found.note(KEY.format(shown(key[:40])))
        try:
            cls = _class(annotation, class_of)
            crowd = _crowd(annotation, found)
            shape = read_shape(annotation, frame, found.note)
        except ProblemError as problem:
            name = f"annotation {annotation.get('id')}"
            found.problems.append((f"{name} with {problem.found}", problem.wanted, problem.remedy))
            continue
        if crowd:
            found.note(CROWD)
            unknown.append(shape)
        elif cls == 0:
            found.note(BACKGROUND)
            background.append(shape)
        elif shape.box is None or (shape.code and shape.area < SMALLEST):
            found.note(TINY)
            unknown.append(shape)
        elif twin := next(
            (earlier for earlier in alike.get((cls, shape.corner), []) if _same(earlier, shape, frame)), None
        ):
            found.note(TWICE)
            if twin.code is None:
                twin.code, twin.area = shape.code, shape.area
        else:
            alike.setdefault((cls, shape.corner), []).append(shape)
            objects.append(shape)
            found.boxes.append(shape.box)
            found.classes.append(cls)
    if all(shape.code for shape in objects + unknown):
        _draw(found, objects, [shape for shape in background if shape.code], unknown, frame)
    else:
        found.note(BOX_ONLY)
    if not found.boxes:
        found.note(EMPTY)
    return found


def _class(annotation: dict, class_of: dict[Id, int]) -> int:
    category = annotation.get("category_id")
    if type(category) not in (int, str) or category not in class_of:
        wanted = f"one of the file's {len(class_of)} categories"
        raise ProblemError(f"category {category}", wanted, "Correct it or add the category.")
    return class_of[category]


def _crowd(annotation: dict, found: Found) -> bool:
    """Return whether an annotation is a region of many objects."""
    value = annotation.get("iscrowd")
    if value is None:
        return False
    crowd = MARKS.get(str(value).lower()) if isinstance(value, str | int | float) else None
    if crowd is None:
        raise ProblemError(f"iscrowd {value}", "0 or 1", "Correct it.")
    if isinstance(value, str):
        found.note(MARK)
    return crowd


def _same(one: Shape, other: Shape, frame: Frame) -> bool:
    """Return whether two shapes with one box are the same: their masks are equal, or one of them has no mask."""
    if one.code is None or other.code is None or one.code == other.code:
        return True
    return one.area == other.area and bool((one.mask(frame) == other.mask(frame)).all())


def _draw(found: Found, objects: list[Shape], background: list[Shape], unknown: list[Shape], frame: Frame) -> None:
    """Draw classes and numbers of objects, the larger ones first."""
    labels, numbers = (np.zeros((frame.height, frame.width), dtype) for dtype in (np.uint8, np.int32))
    for shape in unknown:
        mask = shape.mask(frame)
        labels[mask] = UNKNOWN
        numbers[mask] = -1
    drawn = [(shape, cls, number) for number, (shape, cls) in enumerate(zip(objects, found.classes, strict=True), 1)]
    drawn += [(shape, 0, 0) for shape in background]
    for shape, cls, number in sorted(drawn, key=lambda one: -one[0].area):
        mask = shape.mask(frame)
        labels[mask], numbers[mask] = cls, number
    for _ in range(len(objects) - len(np.unique(numbers[numbers > 0]))):
        found.note(COVERED)
    found.labels = labels
    if len(objects) < UNKNOWN:
        found.instances = np.where(numbers < 0, UNKNOWN, numbers).astype(np.uint8)
    else:
        found.note(TOO_MANY)
