"""Boxes of a VOC annotation; its 1-based inclusive coordinates are converted here.

An object's box is its bndbox; without one the bounds of its polygon, of its turned box (robndbox) or of its parts.
Where <size> shows that the boxes were drawn on the photograph before it was turned upright or resized, they are mapped
accordingly.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from wsss_stages.data.documents import number as read_number
from wsss_stages.data.documents import read_xml
from wsss_stages.data.findings import DefectError, Finding
from wsss_stages.data.importers import frames
from wsss_stages.data.importers.voc_shapes import SHAPES, Shape, shapes_of
from wsss_stages.data.notes import count

USED = {
    "annotation": {"object", "size"},
    "size": {"width", "height"},
    "object": {"name"},
}
"""Elements that are read, by the one that they stand in; of an object's shapes the first of voc_shapes.SHAPES."""
KNOWN = {
    "annotation": {"folder", "filename", "path", "source", "owner", "segmented"},
    "size": {"depth"},
    "object": {"pose", "truncated", "difficult", "occluded"},
}
"""Elements of every VOC file that say nothing about the place of a box: they are neither read nor noted."""
CLIPPED = "boxes over the border by up to a pixel, clipped"
TWICE = "boxes given twice, taken once"
FITS = {
    "turned": "images whose boxes were drawn before EXIF turned the photograph, turned with it",
    "scaled": "images whose boxes were drawn on the photograph in another size, scaled",
    "turned and scaled": "images whose boxes were drawn before the photograph was turned and resized, turned and scaled",
}
FLIPPED = "photographs that EXIF turns without a change of size: boxes are taken to be drawn on the upright one"
NO_SIZE = "annotations without the size of their photograph, which is not compared"
UNUSED = "elements <{}> of annotations, not used"
LONGEST_TAG = 40
"""Characters of an element's name in a note."""


@dataclass
class Boxes:
    """The boxes of an annotation (x0 y0 x1 y1, 0-based, half open, whole pixels) and their classes."""

    boxes: list[list[int]]
    classes: list[int]


def read_boxes(
    xml: Path,
    height: int,
    width: int,
    orientation: int,
    classes: list[str],
    findings: list[Finding],
    notes: dict[str, int],
) -> Boxes:
    """Return the boxes of an upright photograph; unusable values become findings, reinterpreted values notes.

    Args:
        orientation: EXIF's of the photograph, 1 to 8.
    """
    try:
        root = read_xml(xml, "a VOC annotation")
        frame = _frame(root, height, width, orientation, notes)
    except DefectError as error:
        findings.append(error.in_file(xml))
        return Boxes([], [])
    for tag in _unused(root):
        count(notes, UNUSED.format(tag[:LONGEST_TAG]))
    taken = Boxes([], [])
    for number, element in enumerate(root.findall("object"), 1):
        try:
            cls = _class(element, classes)
            for shape in shapes_of(element, notes):
                box = _whole(shape, frame, notes)
                if (box, cls) in zip(taken.boxes, taken.classes, strict=True):
                    count(notes, TWICE)
                    continue
                taken.boxes.append(box)
                taken.classes.append(cls)
        except DefectError as error:
            findings.append(Finding(xml, f"object {number} with {error.found}", error.wanted, error.remedy))
    return taken


def _frame(root: Element, height: int, width: int, orientation: int, notes: dict[str, int]) -> frames.Frame:
    """Return which raster the boxes belong to. Raises DefectError for one of another shape than the photograph's."""
    try:
        size = int(read_number(root.findtext("size/height"))), int(read_number(root.findtext("size/width")))
    except (ValueError, OverflowError):
        size = (0, 0)
    if min(size) <= 0:
        count(notes, NO_SIZE)
        return frames.Frame(height, width)
    frame = frames.frame(height, width, orientation, size)
    if frame is None:
        found = f"boxes on {size[1]}x{size[0]} pixels by <size>"
        raise DefectError(
            found, f"{width}x{height} like the photograph, or its shape", "Take the photograph that was annotated."
        )
    if frame.fit in FITS:
        count(notes, FITS[frame.fit])
    elif orientation in (2, 3, 4) or (orientation > 4 and height == width):
        count(notes, FLIPPED)
    return frame


def _unused(root: Element) -> Iterator[str]:
    """Yield every kind of element once that stands in the file, is not VOC's own and is not read."""
    expected = {place: USED[place] | KNOWN[place] for place in USED}
    seen = {child.tag for child in root} - expected["annotation"]
    seen |= {child.tag for size in root.findall("size") for child in size} - expected["size"]
    for element in root.findall("object"):
        used = next((shape for shape in SHAPES if element.find(shape) is not None), None)
        seen |= {child.tag for child in element} - expected["object"] - {used}
    yield from sorted(seen)


def _class(element: Element, classes: list[str]) -> int:
    name = (element.findtext("name") or "").strip()
    if name not in classes[1:]:
        remedy = "Correct the name or add it to classes.txt."
        raise DefectError(f"class {name!r}", f"one of {', '.join(classes[1:])}", remedy)
    return classes.index(name)


def _whole(shape: Shape, frame: frames.Frame, notes: dict[str, int]) -> list[int]:
    """Return a box of whole pixels inside the photograph. Raises DefectError if it leads further out than a pixel.

    The bounds of a turned box may lead further, for its corners do.
    """
    corners = shape.corners
    half_open = (corners.round() if frame.fit == "same" else corners) - (1, 1, 0, 0)
    x0, y0, x1, y1 = (round(v) for v in frame.boxes(half_open[None])[0].tolist())
    far = max(1, math.ceil(max(frame.scale_x, frame.scale_y)))
    outside = x0 < -far or y0 < -far or x1 > frame.width + far or y1 > frame.height + far
    if outside and shape.element != "robndbox":
        inside = f"1 <= x <= {frame.width}, 1 <= y <= {frame.height}"
        remedy = "Clip the box; VOC counts pixels from 1."
        raise DefectError(f"box {corners.tolist()} outside the image", inside, remedy)
    box = [max(0, x0), max(0, y0), min(frame.width, x1), min(frame.height, y1)]
    if box != [x0, y0, x1, y1]:
        count(notes, CLIPPED)
    if box[0] >= box[2] or box[1] >= box[3]:
        raise DefectError(f"box {corners.tolist()} without a pixel of the image", "a box inside it", "Draw it again.")
    return box
