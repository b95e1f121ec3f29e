"""Checks that the weak labels of the training images are enough for a run."""

from wsss_stages.data.findings import Finding
from wsss_stages.data.index import Index, Record
from wsss_stages.labels.boxes import SMALLEST_BOX

PLURAL = {"box": "boxes", "scribble": "scribbles", "point": "points", "tag": "tags", "truth": "true masks"}
REMEDY = "Add what is missing, remove the id from the list, or run with another kind of weak label."


def missing(index: Index, weak: str) -> list[Finding]:
    """Return findings of missing labels for a run on `weak` labels: an image lacks the kind, or the kind lacks a
    class of the image. One with a corrected mask lacks nothing.

    A run on `mixed` labels takes any. Where no image lacks its labels, all of them together must show a class, and
    boxes an object that is large enough to be learned from.
    """
    if len(index.classes) < 2:
        wanted = "background and at least one class more"
        return [Finding(index.root, f"no class but {index.classes[0]}", wanted, "Name the classes in classes.txt.")]
    found, shown, largest = [], False, 0
    for record in index.split("train"):
        shown = shown or bool(record.tags)
        largest = max((largest, *(min(x1 - x0, y1 - y0) for x0, y0, x1, y1 in record.boxes)))
        if record.corrected:
            continue
        if weak == "mixed":
            if not record.kinds:
                what = f"no label for training image {record.id}"
                found.append(Finding(index.root / record.photo, what, f"any of {', '.join(PLURAL.values())}", REMEDY))
            continue
        if weak not in record.kinds and not (weak == "tag" and record.kinds):
            others = f", which has {', '.join(PLURAL[kind] for kind in record.kinds)}" if record.kinds else ""
            what = f"no {PLURAL[weak]} for training image {record.id}{others}"
            found.append(Finding(index.root / record.photo, what, f"{PLURAL[weak]} for every training image", REMEDY))
            continue
        lost = set(record.tags) - _shown(record, weak)
        if lost:
            what = (
                f"image {record.id} with {', '.join(index.classes[c] for c in sorted(lost))} but without a {weak} of it"
            )
            wanted = f"a {weak} for every class of an image"
            found.append(Finding(index.root / record.photo, what, wanted, REMEDY))
    return found or _nothing_to_learn(index, weak, shown, largest)


def _nothing_to_learn(index: Index, weak: str, shown: bool, largest: int) -> list[Finding]:
    """Return findings that prevent training although every image has its labels.

    Args:
        shown: whether any image has a class.  largest: pixels of the shorter side of the box in which that is longest.
    """
    count = len(index.splits["train"])
    if not shown:
        what = f"no class in the labels of {count} training images"
        return [Finding(index.root, what, "a class in at least one of them", "Label an object.")]
    if weak == "box" and largest < SMALLEST_BOX:
        what = f"boxes whose shorter sides have at most {largest} pixels, in {count} training images"
        wanted = f"a box of at least {SMALLEST_BOX} pixels a side, at the size that photographs are worked on"
        return [Finding(index.root, what, wanted, "Raise data.max_side, or correct the boxes.")]
    return []


def _shown(record: Record, weak: str) -> set[int]:
    """Return the classes that a kind of weak label shows."""
    return {
        "box": set(record.box_classes),
        "scribble": set(record.scribble_classes),
        "point": {cls for _, _, cls in record.points},
        "tag": set(record.tags),
    }[weak]
