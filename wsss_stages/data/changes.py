"""Fingerprints of a dataset's folders and of the index made of them: short texts that Snakemake compares to see changes."""

import hashlib
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

OF_A_RUN = frozenset(
    {"Snakefile", "config.yaml", "report.html", "workflow", "profiles", "envs", "results", "logs", "benchmarks"}
)
"""Names that a run itself writes into its working folder, which may be the dataset's; they do not belong to the dataset."""
ENDING = re.compile(rb'"sha256": "([0-9a-f]{64})"}\n\Z')
"""The end of index.json."""


@cache
def listing(*folders: Path) -> str:
    """Return a digest of the names, sizes and times of all files below folders, of which none is opened.

    A folder may be an archive. One that is missing has a digest, too: the importer reports its defects. Hidden files and a run's own
    outputs (OF_A_RUN) are left out; links are followed. A process lists once, so that the digest that is kept of a
    run is never younger than what the run has read.
    """
    home = _identity(".")
    total = 0
    for number, folder in enumerate(folders):
        files = [_file(folder)] if folder.is_file() else _files(str(folder), "", (), home)
        for name, size, time in files:
            line = f"{number}\0{name}\0{size}\0{time}"
            digest = hashlib.blake2b(line.encode(errors="surrogateescape"), digest_size=16).digest()
            total += int.from_bytes(digest)  # a sum, as folders have no order
    return f"{total % 2**128:032x}"


def checksum(index: Path) -> str:
    """Return the sha256 that ends an index.json; empty if there is none, or no index."""
    try:
        with open(index, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 100))
            found = ENDING.search(file.read())
    except FileNotFoundError:
        return ""
    return found[1].decode() if found else ""


def _files(
    folder: str, above: str, ancestors: tuple[tuple[int, int] | None, ...], home: tuple[int, int] | None
) -> Iterator[tuple[str, int, int]]:
    """Yield name, size and time (ns) of every file; of one that cannot be looked at, or a folder that cannot be listed, -1 and 0."""
    here = _identity(folder)
    if here in ancestors:  # a link to a folder that it lies in
        return
    inner = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or (here == home and entry.name in OF_A_RUN):
                    continue
                name = above + entry.name
                try:
                    if entry.is_dir():
                        inner.append((entry.path, f"{name}/"))
                        continue
                    status = entry.stat()
                except OSError:  # a link to nothing
                    yield name, -1, 0
                    continue
                yield name, status.st_size, status.st_mtime_ns
    except OSError:
        yield above, -1, 0
    for path, name in inner:
        yield from _files(path, name, (*ancestors, here), home)


def _file(path: Path) -> tuple[str, int, int]:
    """Return name, size and time of an archive that takes a folder's place."""
    status = path.stat()
    return path.name, status.st_size, status.st_mtime_ns


def _identity(folder: str) -> tuple[int, int] | None:
    """Return device and inode of a folder; None if it is missing."""
    try:
        status = os.stat(folder)
    except OSError:
        return None
    return status.st_dev, status.st_ino
