"""The photographs below a folder in COCO's layout: which one a file_name means, and which ones are in no list.

A file_name is looked for in NAME/ and images/NAME/, in train/ or val/ and images/train/ or images/val/, in
NAME/images/, in the folder of the list's JSON, in images/, data/ and the dataset's folder. One that is in none of them,
as it has a path of the machine that it was annotated on, is found by its last parts if exactly one photograph fits. All
paths stay inside the dataset's folder.
"""

import os
import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsss_stages.data.findings import DefectError, shown
from wsss_stages.data.images import SUFFIXES
from wsss_stages.data.importers.coco_lists import CocoList
from wsss_stages.data.names import below, has_file
from wsss_stages.data.notes import Notes

OTHERS = (".heic", ".heif", ".avif", ".gif", ".jp2", ".jfif", ".dng")
"""Suffixes of photographs that are counted where no list names them, although they are not read."""
BACKSLASHES = "file names with backslashes, read as slashes"
ELSEWHERE = "photographs found in {}, not in {}"
BY_LAST_PARTS = "photographs found by the last part of their file_name"
BY_LETTERS = "photographs found by a file_name in other letters (case or normal form)"
UNLISTED = "photographs that no list names, left out"


@dataclass
class Found:
    """A photograph that a list names, and the folder that its path in the list begins at."""

    path: Path
    folder: Path


class Photographs:
    """All photographs below a dataset's folder. `skipped` is a folder that does not belong to the dataset."""

    def __init__(self, root: Path, skipped: Path, lists: list[CocoList], notes: Notes):
        self.root, self.notes, self.lists = root, notes, lists
        self._folders = {source.split: _folders(root, source) for source in lists}
        self._files = _walk(root, skipped)
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        for path in self._files.values():
            if not any(part.startswith(".") for part in path.parts):
                self._by_name[_letters(path.name)].append(path)
        self._named: set[tuple[str, str]] = set()

    def find(self, name: object, of: CocoList) -> Found:
        """Return the photograph that a list's file_name means. Raises DefectError if it means none, or perhaps several."""
        path, foreign = self.root, True
        parts: list[Any] = [name]
        if isinstance(name, str):
            if "\\" in name:
                self.notes.add(BACKSLASHES, 1, shown(name))
            parts, foreign = _parts(name.replace("\\", "/"))
        below(self.root, "/".join(parts) if parts and isinstance(name, str) else name)
        if not foreign:
            for folder in self._folders[of.split]:
                path = folder.joinpath(*parts)
                if has_file(path, self.root):
                    return self._found(path, of, folder)
        fits = self._fitting(parts, of) if parts else []
        if not fits:
            places = ", ".join(str(folder.relative_to(self.root)) for folder in self._folders[of.split])
            wanted = f"a file below {self.root}, in {places}"
            raise DefectError(f"image {name} without a file", wanted, "Add the photograph or remove the image.")
        if len(fits) > 1:
            found = f"image {name}, which may be {' or '.join(map(str, fits[:3]))}"
            remedy = f"Write the path below {self.root} into its file_name."
            raise DefectError(found, "a file name of one photograph", remedy)
        has_file(self.root / fits[0], self.root)
        self.notes.add(BY_LAST_PARTS if fits[0].name == parts[-1] else BY_LETTERS, 1, shown(str(fits[0])))
        return self._found(self.root / fits[0], of)

    def note_unlisted(self) -> None:
        """Report the photographs that no list named."""
        left = (path for key, path in self._files.items() if key not in self._named)
        self.notes.add_each(UNLISTED, (shown(str(path)) for path in left))

    def _found(self, path: Path, of: CocoList, folder: Path | None = None) -> Found:
        self._named.add((os.path.realpath(path.parent), path.name))
        start = next(home for home in self._folders[of.split] if path.is_relative_to(home))
        if folder and start != self.root / of.name:
            place = str(start.relative_to(self.root))
            text = ELSEWHERE.format("the dataset's folder" if place == "." else shown(place), shown(of.name))
            self.notes.add(text, 1, shown(path.name))
        return Found(path, start)

    def _fitting(self, parts: list[str], of: CocoList) -> list[Path]:
        """Return the photographs that have the most last parts of a path in common with it, outside the folders of
        other lists.
        """
        others = [home for source in self.lists if source.split != of.split for home in _own(self.root, source)]
        fits = [
            path
            for path in self._by_name.get(_letters(parts[-1]), [])
            if not any((self.root / path).is_relative_to(home) for home in others)
        ]
        fits = [path for path in fits if path.name == parts[-1]] or fits
        scores = Counter({path: _common(path.parts, parts) for path in fits})
        return [path for path in fits if scores[path] == max(scores.values())]


def _own(root: Path, source: CocoList) -> list[Path]:
    """Return the folders of a list's photographs alone, by its name or else by its split's."""
    return [home / name for name in dict.fromkeys((source.name, source.split)) for home in (root, root / "images")]


def _folders(root: Path, source: CocoList) -> list[Path]:
    """Return the folders where a list's photographs may lie, the most certain place first."""
    beside = [] if source.path.parent == root / "annotations" else [source.path.parent]
    own = [*_own(root, source), root / source.name / "images"]
    return list(dict.fromkeys([*own, *beside, root / "images", root / "data", root]))


def _walk(root: Path, skipped: Path) -> dict[tuple[str, str], Path]:
    """Return the photographs relative to the folder, by real folder and name, so that a linked folder counts once."""
    files, seen = {}, {os.path.realpath(skipped)}
    for folder, folders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        for name in sorted(names):
            if os.path.splitext(name)[1].lower() in (*SUFFIXES, *OTHERS):
                files[real, name] = Path(folder, name).relative_to(root)
    return files


def _parts(name: str) -> tuple[list[str], bool]:
    """Return the parts of a path that may be below the dataset's folder, and whether it begins elsewhere: at a root
    or drive, above.
    """
    parts = name.split("/")
    foreign = name.startswith("/") or ".." in parts or bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9+]*:", parts[0]))
    if ".." in parts:
        parts = parts[len(parts) - parts[::-1].index("..") :]
    elif foreign:
        parts = parts[1:]
    return [part for part in parts if part not in ("", ".")], foreign


def _letters(name: str) -> str:
    """Return one form for all names that differ only in case or normal form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _common(one: tuple[str, ...], other: list[str]) -> int:
    """Return how many last parts two paths have in common."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if _letters(a) != _letters(b)), min(len(one), len(other)))
