"""Label maps as palette PNGs in VOC's colours: labels/ID.png, numbered objects in objects/ID.png, and classes.txt."""

from pathlib import Path
from typing import ClassVar

import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.data.exporters.formats import Writer, exports
from wsss_stages.data.exporters.pictures import Picture
from wsss_stages.data.images import read_labels
from wsss_stages.data.importers.voc_writer import write_labels
from wsss_stages.data.notes import count
from wsss_stages.data.patches import Patch

NO_MASKS = "boxes without a mask, which a PNG cannot hold"
TOO_MANY = f"images of more than {UNKNOWN - 1} objects, without numbered masks"


@exports("png")
class Png(Writer):
    photographs: ClassVar[str | None] = None
    maps: ClassVar[str] = "labels"
    numbers: ClassVar[str] = "objects"

    def add(self, picture: Picture) -> None:
        count(self.notes, NO_MASKS, sum(thing.patch is None for thing in picture.things))
        if picture.labels is None:
            return
        write_labels(self._path(self.maps, picture), picture.labels)
        if self.objects and len(picture.things) < UNKNOWN:
            write_labels(self._path(self.numbers, picture), numbered(picture))
        else:
            count(self.notes, TOO_MANY, int(self.objects))

    def close(self) -> None:
        (self.folder / "classes.txt").write_text("".join(f"{name}\n" for name in self.classes), encoding="utf-8")

    def read(self, picture: Picture) -> list[Patch | None]:
        if picture.labels is None or (self.objects and len(picture.things) >= UNKNOWN):
            return [None] * len(picture.things)
        map_of = read_labels(self._path(self.numbers if self.objects else self.maps, picture))
        values = range(1, len(picture.things) + 1) if self.objects else [thing.cls for thing in picture.things]
        return [Patch.of(map_of == value) for value in values]

    def _path(self, folder: str, picture: Picture) -> Path:
        return self.folder / folder / f"{picture.id}.png"


def numbered(picture: Picture) -> np.ndarray:
    """Return (h, w) uint8 numbers of at most 254 things, from 1; where they overlap, the smaller one's. Unknown pixels stay 255."""
    numbers = np.where(picture.labels == UNKNOWN, UNKNOWN, 0).astype(np.uint8)
    layers = [(thing.patch, number) for number, thing in enumerate(picture.things, 1) if thing.patch]
    for patch, number in sorted(layers, key=lambda layer: -layer[0].area):
        patch.paint(numbers, number)
    return numbers
