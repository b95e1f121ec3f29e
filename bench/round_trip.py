"""Masks and boxes of a dataset through every format and back: python bench/round_trip.py FOLDER [FOLDER ...]

FOLDER is in PASCAL VOC layout; without one a folder is made of holes, touching objects, objects of one pixel, 300 objects in an image and
names in other letters. The true objects are exported with the photographs, and the export is imported as people import that tool's. For each
format: boxes that differ by more than half a pixel or are missing, and the IoU of every object's mask before and after (of every class where an
image has more objects than 8 bits can number). Left out by a rule are boxes of one pixel's width or height in VOC's XML, and objects under ten
pixels in COCO, which the importers refuse or take for unknown. Prints the table of docs/datasets.md; fails where a box differs or a mask is under 0.98.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from wsss_stages import UNKNOWN
from wsss_stages.data.exporters.formats.voc import sides
from wsss_stages.data.images import read_labels
from wsss_stages.data.importers.coco_annotations import SMALLEST
from wsss_stages.data.importers.kinds import KINDS, Settings
from wsss_stages.data.importers.voc import import_voc
from wsss_stages.data.importers.voc_writer import write_boxes, write_labels
from wsss_stages.data.index import Index, Record
from wsss_stages.roads.export import export
from wsss_stages.roads.exported import Pictures, Run

KIND_OF = {
    "voc": "voc",
    "coco": "coco",
    "yolo": "yolo",
    "cvat": "cvat",
    "label-studio": "label_studio",
    "labelme": "labelme",
}
GOAL, HALF = 0.98, 0.5


@dataclass
class Row:
    """A format's result on a folder."""

    images: int = 0
    boxes: int = 0
    differing: int = 0
    ruled: int = 0
    ious: list[float] = field(default_factory=list)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    asked = parser.parse_args(argv)
    lines = [
        "| folder | format | images | boxes | boxes off | left out by a rule | masks | IoU mean | IoU worst | seconds |",
        "|" + "---|" * 10,
    ]
    failed = False
    with tempfile.TemporaryDirectory() as scratch:
        for folder in asked.folders or [made_folder(Path(scratch) / "made")]:
            for to in KIND_OF:
                began = time.monotonic()
                row = round_trip(folder, to, Path(scratch) / folder.name / to)
                seconds = time.monotonic() - began
                mean, worst = (float(f(row.ious)) for f in (np.mean, np.min))
                failed |= bool(row.differing) or worst < GOAL
                cells = [
                    folder.name,
                    to,
                    row.images,
                    row.boxes,
                    row.differing,
                    row.ruled,
                    len(row.ious),
                    f"{mean:.4f}",
                    f"{worst:.4f}",
                ]
                lines.append("| " + " | ".join(map(str, [*cells, f"{seconds:.0f}"])) + " |")
                sys.stderr.write(lines[-1] + "\n")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.exit(f"a box differs, or a mask is under {GOAL}" if failed else 0)


def round_trip(folder: Path, to: str, scratch: Path) -> Row:
    """Export the true objects of a folder in VOC layout, import the export, and compare."""
    before = import_voc("before", folder, truth=scratch / "before_truth")
    before.write(scratch / "before" / "index.json")
    pictures = Pictures(Run.open(scratch / "before", "truth", True), "truth", True)
    export(pictures, to, scratch / "export", before.classes, "round trip", before.root)
    settings = Settings("train", "val", "", "", "", 0, 0, 0, 0)
    after = KINDS[KIND_OF[to]]("after", scratch / "export", scratch / "after_truth", settings)
    row = Row()
    for picture in pictures:
        row.images += 1
        record = next(after.records[key] for key in (picture.id, f"images_{picture.id}") if key in after.records)
        kept = [thing for thing in picture.things if not ruled(to, thing)]
        row.ruled += len(picture.things) - len(kept)
        picture.things = kept
        _boxes(row, picture, record, before, after)
        _masks(row, picture, record, before, after)
    return row


def ruled(to: str, thing) -> bool:
    """Return whether an importer leaves an object out by its rules."""
    return (to == "voc" and min(sides(thing.box)) < 2) or (to == "coco" and thing.patch.area < SMALLEST)


def _boxes(row: Row, picture, record: Record, before: Index, after: Index) -> None:
    """Count the boxes that have no box of their class within half a pixel."""
    left = [(after.classes[cls], np.array(box)) for cls, box in zip(record.box_classes, record.boxes, strict=True)]
    for thing in picture.things:
        name, box = before.classes[thing.cls], np.array(thing.box)
        fits = [k for k, (other, near) in enumerate(left) if other == name and np.abs(near - box).max() <= HALF]
        row.boxes += 1
        row.differing += not fits
        if fits:
            left.pop(fits[0])
    row.differing += len(left)


def _masks(row: Row, picture, record: Record, before: Index, after: Index) -> None:
    size = picture.height, picture.width
    labels = after.records[record.id].truth_labels(after.root)
    if labels is None:
        row.ious += [0.0] * len(picture.things)
        return
    numbers = read_labels(after.root / record.instances) if record.instances else None
    if numbers is None:
        for cls in {thing.cls for thing in picture.things}:
            mask = np.logical_or.reduce([thing.patch.full(*size) for thing in picture.things if thing.cls == cls])
            row.ious.append(_iou(mask, labels == after.classes.index(before.classes[cls])))
        return
    for thing in picture.things:
        mask = thing.patch.full(*size)
        number = np.bincount(numbers[mask]).argmax()
        other = numbers == number if number not in (0, UNKNOWN) else np.zeros(size, bool)
        row.ious.append(_iou(mask, other))


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


def made_folder(root: Path) -> Path:
    """Write a folder in VOC layout of what is hard for a format, and return it."""
    height, width = 240, 320
    y, x = np.mgrid[:height, :width]
    far = np.hypot(y - 120, x - 160)
    rng = np.random.default_rng(0)
    images = {
        "holes": [(far < 90) & (far > 40), far < 20, (abs(y - 20) < 9) & (abs(x - 20) < 9) & (abs(y - 20) > 2)],
        "touching": [(y < 120) & (x < 160), (y < 120) & (x >= 160), (y >= 120) & (x < 100), (y >= 120) & (x >= 100)],
        "one pixel": [(y == 7) & (x == k) for k in (0, 50, 319)] + [(y == 239) & (x == 0)],
        "犬 und Kätzchen": [far < 100, (abs(y - x) < 2) & (far > 110)],
        "speckled": [(rng.random((height, width)) < 0.5) & (far < 60)],
        "300 objects": [(y // 12 == k // 26) & (x // 12 == k % 26) & (y % 12 < 7) & (x % 12 < 8) for k in range(520)][
            :300
        ],
    }
    names = ["background", "cat", "犬", "a & <b>"]
    for image, masks in images.items():
        labels, numbers = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
        for k, mask in enumerate(masks):
            labels[mask] = 1 + k % 3
            numbers[mask] = min(k + 1, 254)
        for sub in ("JPEGImages", "SegmentationClass", "SegmentationObject", "Annotations"):
            (root / sub).mkdir(parents=True, exist_ok=True)
        photo = rng.integers(0, 255, (height, width, 3), dtype=np.uint8)
        Image.fromarray(photo).save(root / "JPEGImages" / f"{image}.jpg")
        write_labels(root / "SegmentationClass" / f"{image}.png", labels)
        if len(masks) < UNKNOWN:
            write_labels(root / "SegmentationObject" / f"{image}.png", numbers)
        write_boxes(root / "Annotations" / f"{image}.xml", height, width, [])
    (root / "classes.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    return root


if __name__ == "__main__":
    main()
