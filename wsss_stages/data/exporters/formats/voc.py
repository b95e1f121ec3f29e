"""A folder in PASCAL VOC layout, as this project reads it: masks, numbered objects, boxes, lists and classes.txt."""

from typing import ClassVar

from wsss_stages.data.exporters.formats import exports
from wsss_stages.data.exporters.formats.png import Png
from wsss_stages.data.exporters.pictures import Picture
from wsss_stages.data.importers.voc_writer import write_boxes
from wsss_stages.data.notes import count

THIN = "boxes of one pixel's width or height, not in the XML: VOC's readers take them for accidents"


def sides(box: list[int]) -> tuple[int, int]:
    """Return width and height of a box."""
    return box[2] - box[0], box[3] - box[1]


@exports("voc")
class Voc(Png):
    photographs: ClassVar[str | None] = "JPEGImages/{name}"
    maps: ClassVar[str] = "SegmentationClass"
    numbers: ClassVar[str] = "SegmentationObject"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._lists: dict[str, list[str]] = {}

    def add(self, picture: Picture) -> None:
        super().add(picture)
        self._lists.setdefault(picture.split, []).append(picture.id)
        if self.objects:
            kept = [(self.classes[t.cls], t.box) for t in picture.things if min(sides(t.box)) > 1]
            count(self.notes, THIN, len(picture.things) - len(kept))
            boxes = [(name, (box[0], box[1], box[2], box[3])) for name, box in kept]
            write_boxes(self.folder / "Annotations" / f"{picture.id}.xml", picture.height, picture.width, boxes)

    def close(self) -> None:
        super().close()
        folder = self.folder / "ImageSets" / "Segmentation"
        folder.mkdir(parents=True)
        for split, ids in self._lists.items():
            (folder / f"{split}.txt").write_text("".join(f"{name}\n" for name in ids), encoding="utf-8")
