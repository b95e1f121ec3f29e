"""Boxes of a VOC annotation; its 1-based inclusive coordinates end here."""

import math
from pathlib import Path

from wsss_stages.data.documents import number as read_number
from wsss_stages.data.documents import read_xml
from wsss_stages.data.findings import DefectError, Finding


def read_boxes(
    xml: Path, height: int, width: int, classes: list[str], findings: list[Finding]
) -> tuple[list[list[int]], list[int]]:
    """Boxes (x0 y0 x1 y1, 0-based, half open) and their classes; what cannot be used becomes a finding."""
    try:
        objects = read_xml(xml, "a VOC annotation").findall("object")
    except DefectError as error:
        findings.append(error.at(xml))
        return [], []
    boxes, box_classes = [], []
    for number, element in enumerate(objects, 1):
        name = (element.findtext("name") or "").strip()
        texts = [element.findtext(f"bndbox/{key}") for key in ("xmin", "ymin", "xmax", "ymax")]
        problem = (
            None
            if name in classes[1:]
            else (
                f"class {name!r}",
                f"one of {', '.join(classes[1:])}",
                "Correct the name or add it to classes.txt.",
            )
        )
        if problem is None:
            problem = _box_problem(texts, height, width)
        if problem is not None:
            found, wanted, remedy = problem
            findings.append(Finding(xml, f"object {number} with {found}", wanted, remedy))
            continue
        x0, y0, x1, y1 = (round(float(text)) for text in texts)  # type: ignore[arg-type]
        boxes.append([x0 - 1, y0 - 1, x1, y1])
        box_classes.append(classes.index(name))
    return boxes, box_classes


def _box_problem(texts: list[str | None], height: int, width: int) -> tuple[str, str, str] | None:
    """Why four texts are no box of the image: found, wanted, remedy; None if they are one."""
    try:
        values = [read_number(text) for text in texts]
    except ValueError:
        return f"box {texts}", "four numbers xmin ymin xmax ymax", "Complete the bndbox."
    if not all(map(math.isfinite, values)):
        return f"box {values}", "finite numbers", "Draw the box again."
    x0, y0, x1, y1 = map(round, values)
    inside = f"1 <= x <= {width}, 1 <= y <= {height}"
    if x1 < x0 or y1 < y0:
        return f"inverted box {values}", "xmin <= xmax and ymin <= ymax", "Swap the corners."
    if values[0] == values[2] or values[1] == values[3]:
        return (
            f"box {values} without area",
            "a box of at least two pixels a side",
            "Draw the box again or remove the object.",
        )
    if x0 < 1 or y0 < 1 or x1 > width or y1 > height:
        return f"box {values} outside the image", inside, "Clip the box; VOC counts pixels from 1."
    return None
