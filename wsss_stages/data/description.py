"""A dataset in a few lines for a person: photographs, labels, classes, truth, notes; and the kind of label that a run takes."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from wsss_stages.data.findings import DatasetError, Finding, shown
from wsss_stages.data.index import Index
from wsss_stages.data.weak.completeness import PLURAL, missing

KINDS = ("box", "scribble", "point", "tag")
"""Kinds of weak labels, the most telling first."""
MOST = 12
"""Classes and notes that are listed."""


@dataclass
class Contents:
    """Counts over the records of an index."""

    images: dict[str, int]
    """Images of every split."""
    kinds: Counter[str] = field(default_factory=Counter)
    """Training images with labels of each kind."""
    shown_in: Counter[int] = field(default_factory=Counter)
    """Training images that show a class."""
    boxes: Counter[int] = field(default_factory=Counter)
    """Boxes of a class on training images."""
    truth: Counter[str] = field(default_factory=Counter)
    """Images of a split that have a true mask."""

    @classmethod
    def of(cls, index: Index) -> "Contents":
        """Count the records of an index."""
        made = cls({split: len(ids) for split, ids in index.splits.items()})
        for split in index.splits:
            for record in index.split(split):
                made.truth[split] += record.truth is not None
                if split == "train":
                    made.kinds.update(record.kinds)
                    made.shown_in.update(record.tags)
                    made.boxes.update(record.box_classes)
        return made


def lines(index: Index, contents: Contents) -> list[str]:
    """Return the description of a dataset, a line a subject."""
    count, val = contents.images.get("train", 0), contents.images.get("val", 0)
    held = f", {val} to validate on" if val else ", none to validate on"
    found = [f"photographs  {count} to learn from{held}"]
    labels = [f"{PLURAL[kind]} on {n}" for kind, n in contents.kinds.items() if kind in PLURAL]
    found.append(f"labels       {', '.join(labels) or 'none'}")
    found.append(f"classes      {_classes(index, contents)}")
    truth = [f"{n} of {contents.images[split]} in {split}" for split, n in contents.truth.items() if n]
    found.append(f"true masks   {', '.join(truth) or 'none: nothing is scored'}")
    notes = [f"{shown(text)}: {note}" for text, note in index.notes.items()]
    found += [f"noted        {line}" for line in cut(notes, "notes")]
    return found


def _classes(index: Index, contents: Contents) -> str:
    """Return the classes with the numbers of their images and boxes."""
    parts = []
    for number in range(1, len(index.classes)):
        boxes = f", {contents.boxes[number]} boxes" if contents.boxes[number] else ""
        parts.append(f"{shown(index.classes[number])} ({contents.shown_in[number]} images{boxes})")
    return ", ".join(cut(parts, "classes")) or "none but background"


def cut(items: Iterable[str], what: str) -> list[str]:
    """Return the first items, and how many more there are."""
    items = list(items)
    return items if len(items) <= MOST else [*items[:MOST], f"and {len(items) - MOST} more {what}"]


def choose_weak(index: Index, contents: Contents) -> tuple[str, str]:
    """Return the kind of weak label that a run takes where nobody named one, and why.

    It is the only kind that every training image has. Where no kind is on all of them but every image has some label it is `mixed`.

    Raises: DatasetError where several kinds fit, or none.
    """
    here = [kind for kind in KINDS if contents.kinds[kind]]
    complete = [kind for kind in here if not missing(index, kind)]
    if len(complete) > 1:
        names = [f"--weak {kind}" for kind in complete]
        what = f"{' and '.join(PLURAL[kind] for kind in complete)} for every training image"
        remedy = f"Say which: {', '.join(names)}, or --weak mixed for the best of them at every pixel."
        raise DatasetError([Finding(index.root, what, "one kind of label, or all of them by name", remedy)])
    others = [kind for kind in here if kind not in complete]
    if complete:
        also = f"; {_listed(others, contents)}, which --weak mixed would use too" if others else ""
        return complete[0], f"every training image has {PLURAL[complete[0]]}{also}"
    if len(here) > 1 and not missing(index, "mixed"):
        return "mixed", f"no kind is on every training image: {_listed(here, contents)}"
    raise DatasetError(missing(index, here[0] if len(here) == 1 else "mixed") or [_unlabelled(index)])


def _listed(kinds: list[str], contents: Contents) -> str:
    return ", ".join(f"{contents.kinds[kind]} have {PLURAL[kind]}" for kind in kinds)


def _unlabelled(index: Index) -> Finding:
    return Finding(index.root, "no labels to learn from", "boxes, scribbles, points or tags", "See docs/datasets.md.")
