"""A folder in PASCAL VOC layout, as this project reads it: masks, numbered objects, boxes, lists and classes.txt."""

from typing import ClassVar

from wsss_stages.data.exporters.formats import exports
from wsss_stages.data.exporters.formats.png import Png
from wsss_stages.data.exporters.pictures import Picture
from wsss_stages.data.importers.voc_writer import write_boxes


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
        boxes = [(self.classes[thing.cls], tuple(thing.box)) for thing in picture.things]
        if self.objects:
            write_boxes(self.folder / "Annotations" / f"{picture.id}.xml", picture.height, picture.width, boxes)

    def close(self) -> None:
        super().close()
        folder = self.folder / "ImageSets" / "Segmentation"
        folder.mkdir(parents=True)
        for split, ids in self._lists.items():
            (folder / f"{split}.txt").write_text("".join(f"{name}\n" for name in ids), encoding="utf-8")
