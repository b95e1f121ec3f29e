"""YOLO's labels: labels/SPLIT/ID.txt and data.yaml; a mask is one polygon, to whose holes and parts a way leads there and back."""

from typing import ClassVar

import numpy as np
import yaml

from wsss_stages.data.exporters.formats import Writer, exports
from wsss_stages.data.exporters.pictures import Picture, Thing, patches_of
from wsss_stages.data.findings import DatasetError, Finding
from wsss_stages.data.importers.tools import yolo
from wsss_stages.data.importers.tools.shapes import Item
from wsss_stages.data.notes import count
from wsss_stages.data.outlines import bridged, outlines
from wsss_stages.data.patches import Patch

DIGITS = 7
BRIDGED = "objects with holes or of several parts, whose polygon has ways of no width"


@exports("yolo")
class Yolo(Writer):
    photographs: ClassVar[str | None] = "images/{split}/{name}"

    def add(self, picture: Picture) -> None:
        path = self._path(picture)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{self._row(thing, picture)}\n" for thing in picture.things))

    def close(self) -> None:
        splits = sorted(path.name for path in (self.folder / "labels").iterdir())
        names = dict(enumerate(self.classes[1:]))
        content = {"path": ".", "train": "images/train", "val": "images/val" if "val" in splits else "images/train"}
        text = yaml.safe_dump({**content, "names": names}, sort_keys=False, allow_unicode=True)
        (self.folder / "data.yaml").write_text(text, encoding="utf-8")

    def read(self, picture: Picture) -> list[Patch | None]:
        path, findings = self._path(picture), list[Finding]()
        item = Item(picture.name, path, shares=True)
        item.shapes = yolo.shapes(path.read_text(), self.classes[1:], False, path, findings, {})
        if findings:
            raise DatasetError(findings)
        return patches_of(item, picture)

    def _path(self, picture: Picture):
        return self.folder / "labels" / picture.split / f"{picture.id}.txt"

    def _row(self, thing: Thing, picture: Picture) -> str:
        if thing.patch:
            rings = outlines(thing.patch)
            count(self.notes, BRIDGED, int(len(rings) > 1))
            points = bridged(rings)
        else:
            (x0, y0, x1, y1) = thing.box
            points = np.array([[(x0 + x1) / 2, (y0 + y1) / 2], [x1 - x0, y1 - y0]])
        shares = (points / (picture.width, picture.height)).ravel().tolist()
        return " ".join([str(thing.cls - 1), *(f"{share:.{DIGITS}g}" for share in shares)])
