"""COCO's instances JSON: annotations/instances_SPLIT.json with run-length codes, and scores where there are any."""

import json
from collections.abc import Iterator
from typing import IO, Any, ClassVar

from wsss_stages.data import json_stream, rle
from wsss_stages.data.exporters.formats import Writer, exports
from wsss_stages.data.exporters.pictures import Picture, Thing
from wsss_stages.data.patches import Patch


@exports("coco")
class Coco(Writer):
    photographs: ClassVar[str | None] = "{split}/{name}"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._files: dict[str, IO[str]] = {}
        self._images: dict[str, list[dict[str, Any]]] = {}
        self._counts: dict[str, int] = {}
        self._read: dict[str, Iterator[dict[str, Any]]] = {}
        (self.folder / "annotations").mkdir()

    def add(self, picture: Picture) -> None:
        images = self._images.setdefault(picture.split, [])
        size = {"height": picture.height, "width": picture.width}
        images.append({"id": len(images) + 1, "file_name": picture.name, **size})
        file = self._files.get(picture.split) or self._begun(picture.split)
        for thing in picture.things:
            self._counts[picture.split] += 1
            number = self._counts[picture.split]
            made = {"id": number, "image_id": len(images), **self._annotation(thing, picture)}
            file.write(("" if number == 1 else ",\n") + json.dumps(made))

    def close(self) -> None:
        categories = [{"id": number, "name": name} for number, name in enumerate(self.classes) if number]
        for split, file in self._files.items():
            rest = {"images": self._images[split], "categories": categories, "info": {"description": self.dataset}}
            file.write("\n],\n" + json.dumps(rest, ensure_ascii=False)[1:] + "\n")
            file.close()

    def read(self, picture: Picture) -> list[Patch | None]:
        left = self._read.setdefault(picture.split, self._annotations(picture.split))
        found = [next(left) for _ in picture.things]
        return [
            Patch.of(rle.decode(made["segmentation"], picture.height, picture.width))
            if "segmentation" in made
            else None
            for made in found
        ]

    def _begun(self, split: str) -> IO[str]:
        file = self._files[split] = open(self._path(split), "w", encoding="utf-8")
        self._counts[split] = 0
        file.write('{"annotations": [\n')
        return file

    def _path(self, split: str):
        return self.folder / "annotations" / f"instances_{split}.json"

    def _annotations(self, split: str) -> Iterator[dict[str, Any]]:
        with open(self._path(split), "rb") as file:
            for key, made in json_stream.entries(file, ("annotations",)):
                if key == "annotations" and isinstance(made, dict):
                    yield made

    def _annotation(self, thing: Thing, picture: Picture) -> dict[str, Any]:
        x0, y0, x1, y1 = thing.box
        made: dict[str, Any] = {"category_id": thing.cls, "bbox": [x0, y0, x1 - x0, y1 - y0], "iscrowd": 0}
        made["area"] = thing.patch.area if thing.patch else (x1 - x0) * (y1 - y0)
        if thing.patch:
            (made["segmentation"],) = rle.encode(thing.patch.full(picture.height, picture.width)[None])
        if thing.score is not None:
            made["score"] = round(thing.score, 4)
        return made
