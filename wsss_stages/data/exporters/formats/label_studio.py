"""Label Studio's predictions: tasks.json with brush masks, and label_config.xml for the project that they are imported into."""

import json
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from wsss_stages.data import brush_rle
from wsss_stages.data.exporters.formats import Writer, exports
from wsss_stages.data.exporters.pictures import Picture, Thing, patches_of
from wsss_stages.data.findings import DatasetError, Finding
from wsss_stages.data.importers.tools import label_studio
from wsss_stages.data.importers.tools.shapes import Item
from wsss_stages.data.importers.tools.source import Source
from wsss_stages.data.notes import Notes
from wsss_stages.data.patches import Patch

TASKS = "tasks.json"
CONTROLS = {"brushlabels": "masks", "rectanglelabels": "boxes"}
"""Types of regions and the names that label_config.xml gives their controls."""


@exports("label-studio")
class LabelStudio(Writer):
    photographs: ClassVar[str | None] = "photographs/{name}"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._file = open(self.folder / TASKS, "w", encoding="utf-8")
        self._count = 0
        self._items: Iterator[Item] | None = None

    def add(self, picture: Picture) -> None:
        scores = [thing.score for thing in picture.things if thing.score is not None]
        results = [self._result(k, thing, picture) for k, thing in enumerate(picture.things)]
        prediction: dict[str, Any] = {"model_version": "wsss-stages", "result": results}
        if scores:
            prediction["score"] = round(sum(scores) / len(scores), 4)
        task = {"data": {"image": f"/data/local-files/?d={quote(picture.name)}"}, "predictions": [prediction]}
        self._file.write(("[\n" if not self._count else ",\n") + json.dumps(task, ensure_ascii=False))
        self._count += 1

    def close(self) -> None:
        self._file.write("\n]\n")
        self._file.close()
        labels = "".join(f"    <Label value={quoteattr(name)}/>\n" for name in self.classes[1:])
        controls = (("BrushLabels", "brushlabels"), ("RectangleLabels", "rectanglelabels"))
        tags = "".join(
            f'  <{tag} name="{CONTROLS[kind]}" toName="image">\n{labels}  </{tag}>\n' for tag, kind in controls
        )
        text = f'<View>\n  <Image name="image" value="$image" zoom="true"/>\n{tags}</View>\n'
        (self.folder / "label_config.xml").write_text(text, encoding="utf-8")

    def read(self, picture: Picture) -> list[Patch | None]:
        findings: list[Finding] = []
        if self._items is None:
            self._items = label_studio.read(Source(self.folder, findings), findings, Notes()).items
        item = next(self._items)
        if findings:
            raise DatasetError(findings)
        return patches_of(item, picture)

    def _result(self, number: int, thing: Thing, picture: Picture) -> dict[str, Any]:
        kind = "brushlabels" if thing.patch else "rectanglelabels"
        value: dict[str, Any] = {kind: [self.classes[thing.cls]]}
        if thing.patch:
            value |= {"format": "rle", "rle": brush_rle.encode(thing.patch.full(picture.height, picture.width))}
        else:
            x0, y0, x1, y1 = thing.box
            across, down = 100 / picture.width, 100 / picture.height
            value |= {"x": x0 * across, "y": y0 * down, "width": (x1 - x0) * across, "height": (y1 - y0) * down}
            value["rotation"] = 0
        made = {
            "id": f"{self._count}-{number}",
            "type": kind,
            "from_name": CONTROLS[kind],
            "to_name": "image",
            "original_width": picture.width,
            "original_height": picture.height,
            "image_rotation": 0,
            "value": value,
        }
        return made if thing.score is None else made | {"score": round(thing.score, 4)}
