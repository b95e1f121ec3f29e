"""Scribbles as lines of points: ScribbleSup's XML, drawn as later papers do, with a pen three pixels wide.

<annotation><polygon><tag>cat</tag><point><X>12</X><Y>40</Y></point>...</polygon>...</annotation>, pixels counted from 1.
Source: ScribbleSup (Lin et al., CVPR 2016); the width of the pen and the counting: meng-tang/rloss, convertscribbles.m.
"""

from pathlib import Path
from xml.etree.ElementTree import Element

import cv2
import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.data.documents import number as read_number
from wsss_stages.data.documents import read_xml
from wsss_stages.data.findings import DefectError, Finding
from wsss_stages.data.notes import count

PEN = 3
"""Width of a line, pixels."""
OUTSIDE, DOTS = "scribble points outside the image, left out", "scribbles of one point, drawn as dots"


def read_polylines(
    xml: Path, height: int, width: int, classes: list[str], findings: list[Finding], notes: dict[str, int]
) -> list[tuple[int, np.ndarray]]:
    """Return class and (n, 2) x, y of every line, 0-based pixels inside the image.

    Points outside the image are left out and lines of one point kept, both counted in `notes`; lines wholly outside, unknown
    classes and values that are no numbers are findings.
    """
    try:
        polygons = read_xml(xml, "scribbles as ScribbleSup writes them").findall("polygon")
    except DefectError as error:
        findings.append(error.in_file(xml))
        return []
    lines = []
    for number, polygon in enumerate(polygons, 1):
        try:
            lines.append(_line(polygon, f"scribble {number}", height, width, classes, notes))
        except DefectError as error:
            findings.append(error.in_file(xml))
    return lines


def _line(
    polygon: Element, what: str, height: int, width: int, classes: list[str], notes: dict[str, int]
) -> tuple[int, np.ndarray]:
    """Return the class and the points of a line. Raises DefectError, which calls it `what`."""
    name = (polygon.findtext("tag") or "").strip()
    if name not in classes:
        remedy = "Correct the name or add it to classes.txt."
        raise DefectError(f"{what} of class {name!r}", f"one of {', '.join(classes)}", remedy)
    texts = [(point.findtext("X"), point.findtext("Y")) for point in polygon.findall("point")]
    given = f"{what} with points {texts[:3]}"
    try:
        points = np.array([[read_number(text) for text in pair] for pair in texts], float).reshape(-1, 2) - 1
    except ValueError as error:
        raise DefectError(given, "two numbers X, Y", "Complete the points.") from error
    if not np.isfinite(points).all():
        raise DefectError(given, "finite numbers", "Draw it again or remove it.")
    inside = ((points >= 0) & (points <= (width - 1, height - 1))).all(axis=1)
    if not inside.any():
        found, wanted = f"{what} of {name} without a point inside the image", f"1 <= X <= {width}, 1 <= Y <= {height}"
        raise DefectError(found, wanted, "Draw it again or remove it.")
    count(notes, OUTSIDE, int((~inside).sum()))
    count(notes, DOTS, int(inside.sum() == 1))
    return classes.index(name), points[inside]


def drawn(lines: list[tuple[int, np.ndarray]], height: int, width: int) -> np.ndarray:
    """Return (height, width) uint8: classes where the pen went, 255 elsewhere; where lines cross, the later one."""
    labels = np.full((height, width), UNKNOWN, np.uint8)
    for cls, points in lines:
        draw(labels, points, cls, PEN)
    return labels


def draw(canvas: np.ndarray, points: np.ndarray, value: int, width: int) -> None:
    """Let a round pen of `width` pixels go from point to point, (n, 2) x, y; one point is a dot."""
    thin = np.zeros(canvas.shape, np.uint8)
    way = np.round(points).astype(np.int32)
    cv2.polylines(thin, [np.concatenate([way[:1], way])], isClosed=False, color=1)
    pen = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))  # cv2's own thick lines are wider than asked for
    canvas[cv2.dilate(thin, pen) > 0] = value
