"""The photographs of a folder, by id; other files are reported."""

import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from wsss_stages.data.findings import Finding
from wsss_stages.data.images import FORMATS, PLUGINS, SUFFIXES, available
from wsss_stages.data.notes import Notes

SYSTEM_FILES = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx"}
"""Names of operating systems' own files, in small letters; others have a leading dot."""
HIDDEN = "hidden files, passed over"
FOLDERS = "folders beside the photographs, not looked into"
OTHERS = "files beside the photographs of no format that is read, left out"


def hidden(name: str) -> bool:
    """Return whether an operating system made the file for itself, as `._a.jpg`, `.DS_Store` or `Thumbs.db`."""
    return name.startswith(".") or name.lower() in SYSTEM_FILES


def image_id(stem: str) -> str:
    """Return the id of a photograph's stem: names that differ in Unicode's normal form only are one."""
    return unicodedata.normalize("NFC", stem)


def forms(name: str) -> Iterator[str]:
    """Yield a name and, where it has other letters than ASCII's, how systems that decompose letters write it."""
    yield name
    if not name.isascii():
        decomposed = unicodedata.normalize("NFD", name)
        if decomposed != name:
            yield decomposed


def missing_plugin(name: str) -> str | None:
    """Return why a file of a known photograph's suffix cannot be read by this installation; None if it can or is none."""
    form = SUFFIXES.get(os.path.splitext(name)[1].lower())
    if form is None or form in available():
        return None
    return f"{form} photographs, left out: reading them wants {PLUGINS.get(form, 'a Pillow that reads them')}"


def photographs(folder: Path, findings: list[Finding], notes: Notes) -> tuple[dict[str, str], dict[str, str]]:
    """Return the file's name of every photograph by id, in the order of the names, and those of files that are not read.

    Files of other formats, folders and hidden files are noted by name. A second photograph of an id is a finding.
    """
    found: dict[str, str] = {}
    unread: dict[str, str] = {}
    names, folders = [], set()
    with os.scandir(folder) as entries:
        for entry in entries:
            names.append(entry.name)
            if entry.is_dir():
                folders.add(entry.name)
    for name in sorted(names):
        stem, suffix = os.path.splitext(name)
        if hidden(name):
            notes.add(HIDDEN, 1, name)
        elif name in folders:
            notes.add(FOLDERS, 1, name)
        elif suffix.lower() not in SUFFIXES:
            notes.add(OTHERS, 1, name)
            unread[image_id(stem)] = name
        elif lacking := missing_plugin(name):
            notes.add(lacking, 1, name)
            unread[image_id(stem)] = name
        elif image_id(stem) in found:
            beside = found[image_id(stem)]
            what = f"id {stem} a second time, beside {beside}"
            findings.append(Finding(folder / name, what, "one image per id", "Remove or rename one of them."))
        else:
            found[image_id(stem)] = name
    return found, unread


def unused(folder: Path, suffixes: tuple[str, ...], known: dict[str, str], what: str, notes: Notes) -> None:
    """Note the files of a folder that belong to no photograph, and those that are of another format."""
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for name in sorted(entry.name for entry in entries if not hidden(entry.name)):
            stem, suffix = os.path.splitext(name)
            if suffix not in suffixes:
                notes.add(f"files in {folder.name} that are no {' or '.join(suffixes)}, left out", 1, name)
            elif image_id(stem) not in known:
                notes.add(f"{what} of no photograph, left out", 1, name)


def formats() -> str:
    """Return the suffixes that are read, for a message."""
    return ", ".join(suffix for name in FORMATS if name in available() for suffix in FORMATS[name].split())
