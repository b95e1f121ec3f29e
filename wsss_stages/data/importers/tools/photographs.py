"""The photographs of an export by the names that it has for them.

- The file with the most last parts in common with the name, whatever the folders before; letters' case and normal form do not count.
- Label Studio's prefix of uploads (a1b2c3d4-name.jpg) does not count where no file has it.
- Of several that fit the only one that has the size of the annotated image.
- A photograph that was renamed is found where the export embeds it (LabelMe): by its bytes.
"""

import hashlib
import re
import unicodedata
from collections import defaultdict
from pathlib import PurePosixPath

from wsss_stages.data.findings import DefectError, shown
from wsss_stages.data.images import ImageError, open_photo
from wsss_stages.data.importers.tools.label_studio import PREFIX
from wsss_stages.data.importers.tools.source import Source
from wsss_stages.data.importers.tools.spool import Entry
from wsss_stages.data.notes import Notes

BY_PREFIX = "photographs found by a name without Label Studio's prefix"
BY_SIZE = "photographs of one name, told apart by the size of the annotated image"
BY_BYTES = "photographs that were renamed, found by the bytes that the export embeds"
REMEDY = "Put it there under this name, or correct the name in the export."


class Photographs:
    """The photographs of an export's folder or zip."""

    def __init__(self, source: Source, notes: Notes):
        self._source, self._notes = source, notes
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for name in source.photographs:
            self._by_name[_letters(PurePosixPath(name).name)].append(name)
        self._by_sha256: dict[str, str] = {}

    def find(self, entry: Entry) -> str | None:
        """Return the file that an image's name means; None for none. Raises DefectError where it may mean several."""
        if not entry.name:
            raise DefectError("an image without a name", "the name of its photograph", "Export it again.")
        parts = re.sub(r"^[A-Za-z]:", "", entry.name.replace("\\", "/")).split("/")
        parts = [part for part in parts if part not in ("", ".", "..")] or [""]
        fits = self._fitting(parts)
        if not fits and PREFIX.match(parts[-1]):
            fits = self._fitting([*parts[:-1], PREFIX.sub("", parts[-1], count=1)])
            self._notes.add(BY_PREFIX, len(fits[:1]), shown(entry.name))
        if len(fits) > 1 and entry.size:
            sized = [name for name in fits if self._size(name) == entry.size]
            if len(sized) == 1:
                self._notes.add(BY_SIZE, 1, shown(sized[0]))
                return sized[0]
        if len(fits) > 1:
            found = f"image {entry.name}, which may be {' or '.join(fits[:3])}"
            raise DefectError(found, "a name of one photograph", "Rename or remove the other.")
        if not fits and entry.sha256 and (same := self._hashes().get(entry.sha256)):
            self._notes.add(BY_BYTES, 1, shown(same))
            return same
        return fits[0] if fits else None

    def _fitting(self, parts: list[str]) -> list[str]:
        """Return the photographs of a name that have the most last parts of its path."""
        fits = self._by_name.get(_letters(parts[-1]), []) or self._without_suffix(parts[-1])
        exact = [name for name in fits if PurePosixPath(name).name == parts[-1]] or fits
        scores = [_common(PurePosixPath(name).parts, parts) for name in exact]
        return [name for name, score in zip(exact, scores, strict=True) if score == max(scores)]

    def _without_suffix(self, stem: str) -> list[str]:
        """Return the photographs of a name that has no suffix, as Datumaro's ids."""
        if PurePosixPath(stem).suffix:
            return []
        names = [name for names in self._by_name.values() for name in names]
        return [name for name in names if _letters(PurePosixPath(name).stem) == _letters(stem)]

    def _size(self, name: str) -> tuple[int, int] | None:
        try:
            with self._source.photograph(name) as path:
                height, width = open_photo(path).pixels.shape[:2]
                return height, width
        except (DefectError, ImageError):
            return None

    def _hashes(self) -> dict[str, str]:
        """Return the photographs by their sha256; of two with the same bytes neither."""
        if not self._by_sha256:
            found: dict[str, list[str]] = defaultdict(list)
            for name in self._source.photographs:
                with self._source.open(name) as file:
                    found[hashlib.file_digest(file, "sha256").hexdigest()].append(name)  # type: ignore[arg-type]
            self._by_sha256 = {sha: names[0] for sha, names in found.items() if len(names) == 1}
        return self._by_sha256


def _letters(name: str) -> str:
    """Return one form for all names that differ only in case or normal form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _common(one: tuple[str, ...], other: list[str]) -> int:
    """Return how many last parts two paths have in common, but for the first pair, which fits already."""
    pairs = list(zip(reversed(one[:-1]), reversed(other[:-1]), strict=False))
    return next((n for n, (a, b) in enumerate(pairs) if _letters(a) != _letters(b)), len(pairs))
