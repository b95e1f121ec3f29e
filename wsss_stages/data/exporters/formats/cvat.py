"""CVAT for images 1.1: annotations.xml with brush masks, to be uploaded as the annotations of a task that has these photographs."""

from collections.abc import Iterator
from itertools import groupby
from typing import ClassVar
from xml.sax.saxutils import escape, quoteattr

from wsss_stages.data.exporters.formats import Writer, exports
from wsss_stages.data.exporters.pictures import Picture, Thing, patches_of
from wsss_stages.data.findings import DatasetError, Finding
from wsss_stages.data.importers.tools import cvat
from wsss_stages.data.importers.tools.shapes import Item
from wsss_stages.data.importers.tools.source import Source
from wsss_stages.data.notes import Notes
from wsss_stages.data.patches import Patch
from wsss_stages.store.palette import VOC_PALETTE


@exports("cvat")
class Cvat(Writer):
    photographs: ClassVar[str | None] = "images/{name}"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._count = 0
        self._file = open(self.folder / cvat.WHERE, "w", encoding="utf-8")
        labels = "".join(
            f"<label><name>{escape(name)}</name><color>#{bytes(VOC_PALETTE[3 * k : 3 * k + 3]).hex()}</color>"
            "<type>any</type><attributes></attributes></label>"
            for k, name in enumerate(self.classes)
            if k
        )
        self._file.write(
            '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n'
            f"<meta><task><name>{escape(self.dataset)}</name><labels>{labels}</labels></task></meta>\n"
        )
        self._items: Iterator[Item] | None = None

    def add(self, picture: Picture) -> None:
        things = "".join(f"{self._element(thing)}\n" for thing in picture.things)
        self._file.write(
            f'<image id="{self._count}" name={quoteattr(picture.name)} subset="{picture.split}" '
            f'width="{picture.width}" height="{picture.height}">\n{things}</image>\n'
        )
        self._count += 1

    def close(self) -> None:
        self._file.write("</annotations>\n")
        self._file.close()

    def read(self, picture: Picture) -> list[Patch | None]:
        findings: list[Finding] = []
        if self._items is None:
            self._items = cvat.read(Source(self.folder, findings), findings, Notes()).items
        item = next(self._items)
        if findings:
            raise DatasetError(findings)
        return patches_of(item, picture)

    def _element(self, thing: Thing) -> str:
        common = f'label={quoteattr(self.classes[thing.cls])} source="auto" occluded="0"'
        x0, y0, x1, y1 = thing.patch.box if thing.patch else thing.box
        if thing.patch is None:
            return f'<box {common} xtl="{x0}" ytl="{y0}" xbr="{x1}" ybr="{y1}" z_order="0"></box>'
        runs = [(value, len(list(group))) for value, group in groupby(thing.patch.pixels.ravel().tolist())]
        rle = ", ".join(str(length) for length in ([0] if runs[0][0] else []) + [length for _, length in runs])
        return f'<mask {common} rle="{rle}" left="{x0}" top="{y0}" width="{x1 - x0}" height="{y1 - y0}" z_order="0"></mask>'
