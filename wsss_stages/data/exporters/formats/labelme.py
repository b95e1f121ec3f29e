"""LabelMe's JSON, one per photograph, with masks as PNGs of their rectangles; it lies beside the photograph to be opened."""

import base64
import io
import json
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from wsss_stages.data.exporters.formats import Writer, exports
from wsss_stages.data.exporters.pictures import Picture, Thing, patches_of
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.importers.tools import labelme
from wsss_stages.data.importers.tools.shapes import Item
from wsss_stages.data.patches import Patch

VERSION = "5.5.0"
"""Of LabelMe, whose files these are like; masks came with 5.3."""


@exports("labelme")
class LabelMe(Writer):
    photographs: ClassVar[str | None] = "{name}"

    def add(self, picture: Picture) -> None:
        content = {
            "version": VERSION,
            "flags": {},
            "shapes": [self._shape(thing) for thing in picture.things],
            "imagePath": picture.name,
            "imageData": None,
            "imageHeight": picture.height,
            "imageWidth": picture.width,
        }
        path = self.folder / f"{picture.id}.json"
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")

    def close(self) -> None:
        text = "".join(f"{name}\n" for name in ("__ignore__", "_background_", *self.classes[1:]))
        (self.folder / "labels.txt").write_text(text, encoding="utf-8")

    def read(self, picture: Picture) -> list[Patch | None]:
        path = self.folder / f"{picture.id}.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        size = (content["imageHeight"], content["imageWidth"])
        found, defects, _ = labelme.shapes(content["shapes"], size, {})
        if defects:
            raise DatasetError([defect.in_file(path) for defect in defects])
        return patches_of(Item(picture.name, path, shapes=found), picture)

    def _shape(self, thing: Thing) -> dict[str, Any]:
        x0, y0, x1, y1 = thing.patch.box if thing.patch else thing.box
        end = 1 if thing.patch else 0  # a mask's rectangle has both ends inside
        shape = {
            "label": self.classes[thing.cls],
            "points": [[float(x0), float(y0)], [float(x1 - end), float(y1 - end)]],
            "group_id": None,
            "description": "",
            "shape_type": "mask" if thing.patch else "rectangle",
            "flags": {},
        }
        return shape | {"mask": _png(thing.patch)} if thing.patch else shape


def _png(patch: Patch) -> str:
    """Return a mask of 0 and 1 as a PNG in base64, as LabelMe writes it."""
    made = io.BytesIO()
    Image.fromarray(patch.pixels.astype(np.uint8)).save(made, "PNG")
    return base64.b64encode(made.getvalue()).decode("ascii")
