"""Shapes of one image to its labels: boxes, truth, numbers of objects, points, scribbles and tags.

- A box, polygon or point up to a pixel outside the image is clipped; one further out is a defect, a turned box excepted.
- Boxes are widened to whole pixels; the box of a mask or polygon is that of its pixels.
- A polygon is filled by the even-odd rule at pixel centres; one that crosses itself is noted.
- Where objects overlap, the pixel is the smaller one's. An object without a pixel is unknown (255) in truth.
- An object without a mask leaves its image without truth; its box is used.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.data.findings import DefectError
from wsss_stages.data.importers.frames import Frame
from wsss_stages.data.importers.tools.shapes import Item, Shape
from wsss_stages.data.notes import count
from wsss_stages.data.patches import Patch, union
from wsss_stages.data.polygons import filled
from wsss_stages.data.weak.polylines import drawn

CLIPPED = "shapes over the border by up to a pixel, clipped"
CROSSING = "polygons that cross themselves, filled by the even-odd rule"
GROUPED = "shapes of one group and class, taken as one object"
TWICE = "objects given twice, taken once"
FLAT = "boxes, polygons and masks without a pixel, left out"
THIN = "polygons without the centre of a pixel, boxed and unknown in truth"
BOX_ONLY = "images with objects that have no mask, without truth"
COVERED = "objects covered by smaller ones, not in truth"
TOO_MANY = f"images of more than {UNKNOWN - 1} objects, without numbered masks"
EMPTY = "images without objects"
NOT_USED = "shapes of names that are no classes, not used"


@dataclass
class Thing:
    """An object."""

    cls: int
    box: list[int]
    patch: Patch | None


@dataclass
class Drawn:
    """The labels of an image at the photograph's size."""

    things: list[Thing] = field(default_factory=list)
    """Objects of classes 1..N."""
    ground: list[Patch] = field(default_factory=list)
    """Masks of the background."""
    places: dict[tuple[int, ...], list[Thing]] = field(default_factory=dict)
    """Things by class and box."""
    lines: list[tuple[int, np.ndarray]] = field(default_factory=list)
    points: list[list[int]] = field(default_factory=list)
    tags: set[int] = field(default_factory=set)
    tagged: bool = False
    truth: np.ndarray | None = None
    """(h, w) uint8 classes, 255 unknown; None without truth."""
    numbers: np.ndarray | None = None
    """(h, w) uint8 number of the object, from 1, 255 unknown; None without truth, and of more objects than 254."""
    defects: list[DefectError] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)

    def scribbles(self, height: int, width: int) -> np.ndarray:
        """Return (h, w) uint8 classes of the lines, 255 elsewhere."""
        return drawn(self.lines, height, width)


def draw(item: Item, frame: Frame, classes: dict[str, int], masked: bool) -> Drawn:
    """Return the labels of an image.

    Args:
        frame: of the raster that the shapes belong to.
        classes: number of every name.
        masked: the export has masks or polygons, so that an image without objects is background.
    """
    made = Drawn(notes=dict(item.notes))
    groups: dict[tuple[int, str], Thing] = {}
    for number, shape in enumerate(item.shapes, 1):
        if shape.name not in classes:
            count(made.notes, NOT_USED)
            continue
        try:
            _add(made, shape, classes[shape.name], item, frame, groups)
        except DefectError as error:
            what = f"image {item.name}, shape {number} ({shape.kind} of {shape.name}) with {error.found}"
            made.defects.append(DefectError(what, error.wanted, error.remedy))
    count(made.notes, EMPTY, int(not item.shapes))
    if masked and not item.unread and all(thing.patch for thing in made.things):
        if made.things or made.ground or not item.shapes:
            _paint(made, frame.height, frame.width)
    elif masked and made.things:
        count(made.notes, BOX_ONLY)
    return made


def _add(made: Drawn, shape: Shape, cls: int, item: Item, frame: Frame, groups: dict[tuple[int, str], Thing]) -> None:
    if shape.kind == "tag":
        made.tagged = True
        made.tags |= {cls} - {0}
        return
    if shape.kind == "mask":
        patch = _mask(shape, frame)
    else:
        points = _pixels(shape.points, item, frame)
        points = points if shape.turned else _inside(points, frame, item, made.notes)
        if shape.kind == "point":
            x, y = np.minimum(np.floor(points[0]), (frame.width - 1, frame.height - 1)).astype(int).tolist()
            made.points.append([x, y, cls])
            return
        if shape.kind == "line":
            made.lines.append((cls, np.minimum(np.floor(points), (frame.width - 1, frame.height - 1))))
            return
        patch = _polygon(points, frame, made.notes) if shape.kind == "polygon" else None
    box = patch.box if patch and patch.area else _whole(points, frame) if shape.kind != "mask" else None
    if box is None:
        count(made.notes, FLAT)
        return
    count(made.notes, THIN, int(patch is not None and not patch.area))
    if cls == 0:
        made.ground += [patch] if patch and patch.area else []
        return
    _object(made, Thing(cls, box, patch), shape.group, groups)


def _object(made: Drawn, thing: Thing, group: str, groups: dict[tuple[int, str], Thing]) -> None:
    """Add an object, or a part of one that is there."""
    if group and (whole := groups.get((thing.cls, group))):
        count(made.notes, GROUPED)
        x0, y0, x1, y1 = zip(whole.box, thing.box, strict=True)
        whole.box = [min(x0), min(y0), max(x1), max(y1)]
        patches = [patch for patch in (whole.patch, thing.patch) if patch]
        whole.patch = union(patches) if patches else None
        return
    alike = made.places.setdefault((thing.cls, *thing.box), [])
    if any(_same(thing, other) for other in alike):
        count(made.notes, TWICE)
        return
    alike.append(thing)
    made.things.append(thing)
    if group:
        groups[thing.cls, group] = thing


def _same(one: Thing, other: Thing) -> bool:
    """Return whether two things of one class and box are the same."""
    if one.patch is None or other.patch is None:
        return one.patch is other.patch
    return one.patch.same(other.patch)


def _pixels(points: np.ndarray, item: Item, frame: Frame) -> np.ndarray:
    """Return points of the raster that they were drawn on as points of the upright photograph."""
    if item.shares:
        return points * (frame.width, frame.height)
    return frame.boxes(np.concatenate([points, points], axis=1))[:, :2]


def _inside(points: np.ndarray, frame: Frame, item: Item, notes: dict[str, int]) -> np.ndarray:
    """Return points clipped to the image. Raises DefectError for one further out than a pixel of either raster."""
    size = np.array([frame.width, frame.height], float)
    far = max(1.0, frame.scale_x, frame.scale_y)
    if (points < -far).any() or (points > size + far).any():
        worst = points[np.argmax(np.maximum(-points, points - size).max(axis=1))].round(2).tolist()
        raise DefectError(
            f"the point {worst} outside the image", f"0..{frame.width}, 0..{frame.height}", "Clip or remove it."
        )
    clipped = points.clip(0, size)
    count(notes, CLIPPED, int((np.abs(clipped - points) > 1e-3).any()))
    return clipped


def _whole(points: np.ndarray, frame: Frame) -> list[int] | None:
    """Return the box of whole pixels that points touch; None for one without area or outside the image."""
    low, high = points.min(axis=0), points.max(axis=0)
    if (high - low < 1e-3).any():
        return None
    x0, y0 = (max(0, math.floor(round(v, 2))) for v in low.tolist())
    x1, y1 = (
        min(side, math.ceil(round(v, 2))) for v, side in zip(high.tolist(), (frame.width, frame.height), strict=True)
    )
    return [x0, y0, x1, y1] if x0 < x1 and y0 < y1 else None


def _polygon(points: np.ndarray, frame: Frame, notes: dict[str, int]) -> Patch:
    patch, crossing = filled([points], frame.height, frame.width)
    count(notes, CROSSING, int(crossing))
    return patch


def _mask(shape: Shape, frame: Frame) -> Patch:
    if shape.patch is None or shape.raster != (frame.height, frame.width):
        found = f"a mask for a photograph of {shape.raster[1]}x{shape.raster[0]} pixels"
        remedy = "Take the photographs that were annotated, upright."
        raise DefectError(found, f"one of {frame.width}x{frame.height}", remedy)
    return shape.patch


def _paint(made: Drawn, height: int, width: int) -> None:
    """Draw classes and numbers of objects, the larger ones first."""
    labels, numbers = (np.zeros((height, width), dtype) for dtype in (np.uint8, np.int32))
    for thing in made.things:
        x0, y0, x1, y1 = thing.box
        if thing.patch and not thing.patch.area:
            labels[y0:y1, x0:x1], numbers[y0:y1, x0:x1] = UNKNOWN, -1
    layers = [(thing.patch, thing.cls, number) for number, thing in enumerate(made.things, 1) if thing.patch]
    layers += [(patch, 0, 0) for patch in made.ground]
    for patch, cls, number in sorted(layers, key=lambda layer: -layer[0].area):
        patch.paint(labels, cls)
        patch.paint(numbers, number)
    seen = int((np.unique(numbers) > 0).sum())
    count(made.notes, COVERED, sum(1 for patch, cls, _ in layers if cls and patch.area) - seen)
    made.truth = labels
    if len(made.things) < UNKNOWN:
        made.numbers = np.where(numbers < 0, UNKNOWN, numbers).astype(np.uint8)
    else:
        count(made.notes, TOO_MANY)
