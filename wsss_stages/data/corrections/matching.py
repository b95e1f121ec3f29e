"""The image of a run that a correction is meant for: by the photograph's name, else by its bytes; of several that fit by size.

Letters' case and normal form do not count, nor does Label Studio's prefix of uploads.
"""

import unicodedata
from collections import defaultdict
from pathlib import PurePosixPath

from wsss_stages.data.findings import DefectError, shown
from wsss_stages.data.importers.tools.label_studio import PREFIX
from wsss_stages.data.index import Index

NAMED = 5
"""Images that a message names."""


class Images:
    """The images of an index by the names that a correction may have for them."""

    def __init__(self, index: Index):
        self.index = index
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._by_sha256: dict[str, list[str]] = defaultdict(list)
        for record in index.records.values():
            self._by_sha256[record.sha256].append(record.id)
            stem = _letters(PurePosixPath(record.photo).stem)
            for name in {_letters(record.id), stem}:
                self._by_name[name].append(record.id)

    def find(self, name: str, size: tuple[int, int] | None = None, sha256: str = "") -> str | None:
        """Return the id of the image that a name means; None if there is none. Raises DefectError where it may mean several.

        Args:
            name: path or address of a photograph.  size: its height and width.  sha256: of its bytes. Empty: not known.
        """
        parts = [part for part in name.replace("\\", "/").split("/") if part] or [""]
        fits = self._named(parts[-1])
        if not fits and PREFIX.match(parts[-1]):
            fits = self._named(PREFIX.sub("", parts[-1], count=1))
        if not fits and len(parts) > 1:
            fits = self._named("_".join(parts))
        same = self._by_sha256.get(sha256, [])
        if len(fits) > 1 and same:
            fits = [image for image in fits if image in same] or fits
        if len(fits) > 1 and size:
            fits = [image for image in fits if self._size(image) == size] or fits
        if len(fits) > 1:
            found = f"image {shown(name)}, which may be {' or '.join(fits[:3])}"
            raise DefectError(found, "a name of one image", "Name the file after the image's id.")
        if fits:
            return fits[0]
        return same[0] if len(same) == 1 and size in (None, self._size(same[0])) else None

    def _named(self, name: str) -> list[str]:
        if self.index.records.get(name):
            return [name]
        stem = PurePosixPath(name).stem
        if self.index.records.get(stem):
            return [stem]
        return self._by_name.get(_letters(name)) or self._by_name.get(_letters(stem), [])

    def _size(self, image: str) -> tuple[int, int]:
        record = self.index.records[image]
        return record.full_height, record.full_width


def _letters(name: str) -> str:
    """Return one form for all names that differ only in case or normal form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
