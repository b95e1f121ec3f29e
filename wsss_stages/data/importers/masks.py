"""True masks of a folder and the meaning of their numbers or colours, where that is certain.

- grey or palette PNGs of class indices, 255 unknown, are taken as they lie;
- in a set of one class whose masks hold 0 and 255 only, 255 is the object;
- RGB masks, and palettes in another order, are read by the colours of classes.txt, or by VOC's where the image's weak labels do
  not contradict them.
Masks that are read in another way are noted, and redrawn as palette PNGs of indices.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.data.findings import DefectError
from wsss_stages.data.images import ImageError, Raster, label_size, read_raster
from wsss_stages.data.importers.class_names import Colour
from wsss_stages.data.importers.photographs import forms
from wsss_stages.data.importers.voc_writer import write_labels
from wsss_stages.data.names import has_file
from wsss_stages.data.notes import count
from wsss_stages.data.record import Record
from wsss_stages.store.palette import voc_palette

WHITE = "masks of 0 and 255 in a set of one class, 255 taken for the object"
BY_COLOUR = "masks read by their colours"
WIDE = "masks of 16 bits, read as 8"
WHITE_RGB, BORDER_RGB = (255, 255, 255), (224, 224, 192)
VOC_COLOURS = [(int(red), int(green), int(blue)) for red, green, blue in voc_palette()]
SHOWN = 6
"""Values or colours that a finding lists."""


@dataclass
class Masks:
    """The masks of one folder of a dataset, ID.png each."""

    folder: Path
    root: Path
    classes: int
    """Number of classes with background; 255: numbers of objects instead of classes."""
    colours: dict[Colour, int] | None = None
    """Colours of classes.txt; None: VOC's."""
    white: bool = False
    """255 is the object, for this is a set of one class whose masks hold nothing else."""
    translated: set[str] = field(default_factory=set)
    """Ids of the masks whose values differ from the file's."""

    @property
    def meaning(self) -> list:
        """Return, as JSON, the settings other than the mask's bytes that decide how the mask is read."""
        return [self.classes, sorted(self.colours.items()) if self.colours else None, self.white]

    def path(self, record_id: str) -> Path | None:
        """Return an image's mask; None without. Raises DefectError if it is no regular file."""
        return next((p for n in forms(f"{record_id}.png") if has_file(p := self.folder / n, self.root)), None)

    def named(self, record_id: str) -> Path:
        """Return the file that a message about an image's mask names."""
        return self.folder / f"{record_id}.png"

    def read(self, path: Path, height: int, width: int, shown: Collection[int]) -> tuple[np.ndarray, list[str]]:
        """Return (height, width) uint8 labels, 255 unknown, and notes on the differences from the file.

        Args:
            shown: classes that the image's weak labels show; empty: nothing is known.

        Raises: DefectError with the values or colours that were found.
        """
        try:
            if (size := label_size(path)) != (height, width):
                found, wanted = f"{size[1]}x{size[0]} pixels", f"{width}x{height} like the image"
                raise DefectError(found, wanted, "Resize with nearest neighbour, or export it again.")
            raster = read_raster(path)
        except ImageError as error:
            remedy = "Convert it to indices of classes."
            raise DefectError(str(error), "a palette, grey or RGB PNG", remedy) from error
        if raster.pixels.ndim == 3:
            labels, notes = self._by_colours(raster.pixels, shown)
        else:
            labels, notes = self._by_values(raster, shown)
        if self.white and set(np.unique(labels)) <= {0, UNKNOWN}:
            if (labels == UNKNOWN).any():
                notes.append(WHITE)
            labels = np.where(labels == UNKNOWN, 1, labels).astype(np.uint8)
        return labels, notes

    def examine(self, record: Record, notes: dict[str, int]) -> tuple[Path | None, set[int]]:
        """Check an image's mask and return its path and its values; None and an empty set without a mask.

        Raises DefectError.
        """
        path = self.path(record.id)
        if path is None:
            return None, set()
        labels, how = self.read(path, record.full_height, record.full_width, record.tags)
        if how:
            self.translated.add(record.id)
        for text in how:
            count(notes, text)
        return path, set(np.unique(labels).tolist())

    def draw(self, record: Record, target: Path) -> None:
        """Write the mask of an examined image as a palette PNG of indices."""
        path = self.path(record.id)
        if path is None:
            raise DefectError(
                "no such file any more", "the mask of an image", "Leave the folder alone while it is read."
            )
        labels, _ = self.read(path, record.full_height, record.full_width, record.tags)
        write_labels(target, labels)

    def _by_values(self, raster: Raster, shown: Collection[int]) -> tuple[np.ndarray, list[str]]:
        values = np.unique(raster.pixels).tolist()
        legal = set(values) <= {*range(self.classes), UNKNOWN}
        if raster.palette is not None and self.classes < UNKNOWN and max(values) < len(raster.palette):
            table = self._table()
            by_colour = [table.get(raster.palette[value], -1) for value in values]
            if min(by_colour) >= 0 and by_colour != values:
                translated = np.zeros(max(values) + 1, np.uint8)
                translated[values] = by_colour
                if self._is_by_colour(values if legal else None, by_colour, shown):
                    return translated[raster.pixels], [BY_COLOUR]
        if not legal:
            raise DefectError(f"values {values[:SHOWN]}", self._wanted(), self._remedy())
        return raster.pixels.astype(np.uint8), [WIDE] if raster.pixels.dtype != np.uint8 else []

    def _is_by_colour(self, values: list[int] | None, colours: list[int], shown: Collection[int]) -> bool:
        """Return whether a palette in another order is meant by its colours. Raises DefectError if this cannot be decided.

        Args:
            values: the indices of the mask, None where they are not all classes.
            colours: their colours.
        """
        if self.colours is not None or values is None:
            return True
        fits = [set(numbers) - {0, UNKNOWN} <= set(shown) for numbers in (values, colours)]
        if shown and fits[0] != fits[1]:
            return fits[1]
        found = f"indices {values[:SHOWN]} in VOC's colours of classes {colours[:SHOWN]}"
        raise DefectError(found, "a palette in VOC's order, or classes.txt with colours", self._remedy())

    def _by_colours(self, pixels: np.ndarray, shown: Collection[int]) -> tuple[np.ndarray, list[str]]:
        codes = pixels.astype(np.int64) @ (1 << 16, 1 << 8, 1)
        found, where = np.unique(codes, return_inverse=True)
        colours = [(int(code >> 16), int(code >> 8 & 255), int(code & 255)) for code in found]
        table = self._table() | ({WHITE_RGB: UNKNOWN} if self.classes == 2 and not self.colours else {})
        strange = ["#{:02x}{:02x}{:02x}".format(*colour) for colour in colours if colour not in table]
        if strange:
            what = f"{len(strange)} colours of no class: {', '.join(strange[:SHOWN])}"
            raise DefectError(what, "the colours of classes.txt, or VOC's", self._remedy())
        numbers = np.array([table[colour] for colour in colours], np.uint8)
        classes = set(numbers.tolist()) - {0, UNKNOWN}
        if self.colours is None and self.classes < UNKNOWN and shown and not classes <= set(shown):
            what = f"VOC's colours of classes {sorted(classes)[:SHOWN]}, but weak labels of {sorted(shown)[:SHOWN]}"
            raise DefectError(what, "masks that agree with them, or classes.txt with colours", self._remedy())
        return numbers[where.reshape(codes.shape)], [BY_COLOUR]

    def _table(self) -> dict[Colour, int]:
        """Return the class of every colour; VOC's border is unknown where no class has its colour."""
        classes = self.colours or {colour: number for number, colour in enumerate(VOC_COLOURS[: self.classes])}
        return {BORDER_RGB: UNKNOWN} | classes

    def _wanted(self) -> str:
        return f"0..{self.classes - 1} or {UNKNOWN}"

    def _remedy(self) -> str:
        return "Check classes.txt, which may give a colour after every name (cat #ff8000), or the tool that wrote the mask."


def only_white(masks: Masks, ids: Iterable[str]) -> bool:
    """Return whether 255 must be the object: the set has one class, and its masks hold no other number beside 0.

    It looks at one mask after the other, and stops at the first that holds the class. Unreadable masks are ignored here:
    it becomes a finding when its image is examined.
    """
    if masks.classes != 2:
        return False
    white = False
    for record_id in ids:
        try:
            path = masks.path(record_id)
            if path is None:
                continue
            labels, _ = masks.read(path, *label_size(path), ())
        except (DefectError, ImageError):
            continue
        if (labels == 1).any():
            return False
        white = white or bool((labels == UNKNOWN).any())
    return white
