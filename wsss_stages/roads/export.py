"""An export of a run in another tool's format, which is read again: every mask is compared with its master."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from wsss_stages import UNKNOWN
from wsss_stages.data.exporters.formats import FORMATS, Writer
from wsss_stages.data.exporters.pictures import Picture
from wsss_stages.data.notes import Notes
from wsss_stages.data.patches import iou
from wsss_stages.roads.exported import Pictures
from wsss_stages.store.progress import progress

GOOD = 0.95
"""IoU with the master from which a mask counts as the same."""
UNKNOWN_PIXELS = "images with unknown pixels (255), which only png and voc hold: elsewhere they are no object's"
EMPTY = "masks without a pixel, left out"
LISTS = ("labelme", "label-studio")
"""Formats without subsets: SPLIT.txt beside the export names the photographs of a split."""


@dataclass
class RoundTrip:
    """Masks on the way through a format and back."""

    masks: int = 0
    total: float = 0.0
    worst: float = 1.0
    worst_image: str = ""
    under: int = 0
    """Masks with an IoU below GOOD."""
    lost: int = 0
    """Masks that the format does not hold."""

    def add(self, value: float, image: str) -> None:
        self.masks += 1
        self.total += value
        self.under += value < GOOD
        if value < self.worst or not self.worst_image:
            self.worst, self.worst_image = value, image

    def __str__(self) -> str:
        if not self.masks:
            return "no mask to read again"
        mean = self.total / self.masks
        return (
            f"{self.masks} masks read again: IoU {mean:.4f} mean, {self.worst:.4f} worst ({self.worst_image}), {self.under} under {GOOD}"
            + f"; {self.lost} not held by the format" * bool(self.lost)
        )


@dataclass
class Exported:
    """An export that was written."""

    images: int = 0
    things: int = 0
    trip: RoundTrip = field(default_factory=RoundTrip)
    notes: Notes = field(default_factory=Notes)


def export(
    pictures: Pictures,
    to: str,
    out: Path,
    classes: list[str],
    dataset: str,
    photographs: Path | None = None,
) -> Exported:
    """Write an export, whole or not at all, and read it again.

    Args:
        out: folder that is not there yet, or empty.
        photographs: folder of the dataset, to copy the photographs from; None: they are not copied.

    Raises: ValueError if there is nothing to write, or `out` has files.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(
            f"{out}: found files in it; wanted a new or empty folder for the export. Choose another or empty it."
        )
    partial = out.with_name(f".{out.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        made = Exported()
        writer = FORMATS[to](partial, classes, dataset, pictures.per_object)
        _write(writer, pictures, to, made, photographs)
        if not made.things:
            raise ValueError(
                f"{out}: found nothing to export in {made.images} images; wanted an object in one of them."
            )
        for picture in progress(pictures, "export read again"):
            drop_empty(picture, Notes())
            _compare(writer, picture, made.trip)
        made.notes.add_all(writer.notes, "")
        if out.exists():
            out.rmdir()
        os.replace(partial, out)
        return made
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write(writer: Writer, pictures: Pictures, to: str, made: Exported, photographs: Path | None) -> None:
    lists: dict[str, list[str]] = {}
    for picture in progress(pictures, "export"):
        drop_empty(picture, made.notes)
        made.notes.add(
            UNKNOWN_PIXELS, int(picture.labels is not None and bool((picture.labels == UNKNOWN).any())), picture.id
        )
        writer.add(picture)
        made.images += 1
        made.things += len(picture.things)
        lists.setdefault(picture.split, []).append(picture.name)
        if photographs and writer.photographs:
            target = writer.folder / writer.photographs.format(split=picture.split, name=picture.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(photographs / picture.photo, target)
    writer.close()
    for split, names in lists.items() if to in LISTS else ():
        (writer.folder / f"{split}.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def drop_empty(picture: Picture, notes: Notes) -> None:
    """Drop the things of an image whose mask has no pixel, which no format holds; they are counted."""
    kept = [thing for thing in picture.things if thing.patch is None or thing.patch.area]
    notes.add(EMPTY, len(picture.things) - len(kept), picture.id)
    picture.things = kept


def _compare(writer: Writer, picture: Picture, trip: RoundTrip) -> None:
    again = writer.read(picture)
    if len(again) != len(picture.things):
        found = f"{len(again)} of {len(picture.things)} things of {picture.id} in what was written"
        raise ValueError(f"{writer.folder}: found {found}; wanted all. Please report this.")
    for thing, patch in zip(picture.things, again, strict=True):
        if thing.patch and patch is None:
            trip.lost += 1
        elif thing.patch and patch:
            trip.add(iou(thing.patch, patch), picture.id)
