"""Artifacts of a finished shard's manifest that are missing or empty, found by listing the folders."""

import json
import os
import re
from functools import cache
from pathlib import Path

CONTRACTS = re.compile(rb'"contracts": (\{[^{}]*\})')
HEAD = 1 << 16
"""First bytes of a manifest, which hold its contracts."""


@cache
def lost(folder: Path, shards: int) -> dict[Path, Path]:
    """Return the manifests k-of-`shards`.json of a stage's folder that lack an artifact, each with the first one that it lacks.

    An artifact is written whole or not at all, so one without bytes was emptied. One that was deleted changed the time of its folder,
    which is else older than the last manifest: only then are manifests read. A process looks once.
    """
    manifests = [path for k in range(1, shards + 1) if (path := folder / f"{k}-of-{shards}.json").exists()]
    if not manifests:
        return {}
    finished = max(path.stat().st_mtime_ns for path in manifests)
    suspects = [name for name in _contracts(manifests[0]) if _suspect(folder / name, finished)]
    whole = {f"{name}/{file}" for name in suspects for file in _whole(folder / name)}
    found = {}
    for path in manifests if suspects else ():
        named = (file for files in _items(path) for name, (file, _) in files.items() if name in suspects)
        if (file := next((file for file in named if file not in whole), None)) is not None:
            found[path] = folder / file
    return found


def _contracts(manifest: Path) -> list[str]:
    """Return the names of a manifest's contracts, which are those of their folders too; none of a damaged manifest,
    which its readers report.
    """
    with open(manifest, "rb") as file:
        found = CONTRACTS.search(file.read(HEAD))
    return list(json.loads(found[1])) if found else []


def _suspect(folder: Path, finished: int) -> bool:
    try:
        if folder.stat().st_mtime_ns >= finished:  # clocks of file systems are coarse
            return True
        with os.scandir(folder) as entries:
            return any(entry.stat().st_size == 0 for entry in entries)
    except FileNotFoundError:
        return True


def _whole(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if entry.stat().st_size]
    except FileNotFoundError:
        return []


def _items(manifest: Path) -> list[dict[str, list[str]]]:
    try:
        return list(json.loads(manifest.read_text())["items"].values())
    except (ValueError, KeyError):
        return []
