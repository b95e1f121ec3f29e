"""Photographs and videos that a person names: files, and folders with all that lies below them."""

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from wsss_stages.data.images import SUFFIXES
from wsss_stages.data.importers.photographs import hidden, missing_plugin
from wsss_stages.data.notes import Notes

VIDEOS = frozenset(
    ".mp4 .m4v .mov .avi .mkv .webm .mpg .mpeg .wmv .flv .mts .m2ts .ts .ogv .3gp .mjpeg .mjpg .y4m".split()
)
"""Suffixes of videos."""
OTHERS = "files of no format that is read, left out"


@dataclass(frozen=True)
class PhotoFile:
    """A photograph or a video, and the name of its results: its place below the folder, without the suffix where that is enough."""

    path: Path
    place: PurePath
    name: str
    kind: Literal["photograph", "video"]


def photo_files(given: Iterable[Path], out: Path, notes: Notes) -> list[PhotoFile]:
    """Return the photographs and videos of files and folders in the order of their names; other files are noted.

    A folder's subfolders are looked into, but for `out`, the folder of the results. Two files whose names differ by the suffix only
    keep it in the names of their results.

    Raises: ValueError where there is none, or where two have one place.
    """
    places: dict[PurePath, Path] = {}
    for path in given:
        if not path.exists():
            raise ValueError(f"{path}: found no such file or folder; wanted photographs or a video. Check --photos.")
        for file, place in _below(path, out) if path.is_dir() else [(path, PurePath(path.name))]:
            if place in places:
                raise ValueError(
                    f"{file}: found a second photograph {place}, beside {places[place]}; wanted one of a name. Give the folder "
                    "that holds both with --photos."
                )
            if _kind(file, notes):
                places[place] = file
    if not places:
        listed = ", ".join(map(str, given))
        raise ValueError(
            f"{listed}: found neither a photograph nor a video{''.join(f'; {text}: {note}' for text, note in notes.items())}; wanted "
            "at least one. Give another folder with --photos."
        )
    stems = Counter(place.with_suffix("") for place in places)
    return [
        PhotoFile(file, place, str(place if _whole_name(file, place, stems) else place.with_suffix("")), _kind_of(file))
        for place, file in sorted(places.items(), key=lambda item: item[0].parts)
    ]


def _whole_name(file: Path, place: PurePath, stems: Counter) -> bool:
    return _kind_of(file) == "video" or stems[place.with_suffix("")] > 1


def _below(folder: Path, out: Path) -> Iterable[tuple[Path, PurePath]]:
    results = out.resolve()
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not hidden(name) and Path(where, name).resolve() != results]
        yield from (
            (Path(where, name), PurePath(where, name).relative_to(folder)) for name in names if not hidden(name)
        )


def _kind(path: Path, notes: Notes) -> bool:
    """Return whether a file is a photograph or a video that can be read; others are noted."""
    if path.suffix.lower() in VIDEOS:
        return True
    reason = missing_plugin(path.name) if path.suffix.lower() in SUFFIXES else OTHERS
    if reason:
        notes.add(reason, 1, path.name)
    return reason is None


def _kind_of(path: Path) -> Literal["photograph", "video"]:
    return "video" if path.suffix.lower() in VIDEOS else "photograph"
