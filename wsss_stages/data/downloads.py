"""Downloads of published archives: checked, resumed where they stopped, from a mirror first if there is one.

torchvision's `download_url` has the checksum, but begins anew after every break, needs its one server, and finds a full disk by filling it.
"""

import errno
import http.client
import shutil
import sys
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsss_stages.store.progress import Pace

CHUNK = 1 << 20
TRIES = 3
"""Attempts at an address, each of which goes on where the last stopped."""
SAFE: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
"""tarfile's filter, which Python has from 3.11.4 on."""
TIMEOUT = 60
"""Seconds without a byte after which an attempt has failed."""


class DownloadError(OSError):
    """An archive that is not there: where, found, wanted, remedy."""


@dataclass(frozen=True)
class Archive:
    """A published file."""

    file: str
    url: str
    size: int
    """Bytes."""
    holds: tuple[str, ...]
    """Files or folders that it unpacks to."""
    page: str
    """Where a person finds it."""
    md5: str = ""
    """Empty: only the size is known."""
    unpacked: int = 0
    """Bytes of its content, about; 0: as many as the archive's."""

    @property
    def described(self) -> str:
        """Return size and checksum as a message has them."""
        return f"{self.size:,} bytes" + f" with md5 {self.md5}" * bool(self.md5)


def fetch(archive: Archive, folder: Path, mirror: str = "") -> Path:
    """Return the archive in a folder, checked, downloaded if it is not there yet.

    Args:
        mirror: address of a folder that is tried before the published one; empty: none.

    Raises: DownloadError with what to fetch by hand, before the first byte where the disk is too small.
    """
    target, partial = folder / archive.file, folder / f"{archive.file}.part"
    if target.is_file():
        if problem := _problem(archive, target):
            raise DownloadError(
                f"{target}: found {problem}; wanted {archive.described}. Delete it, or fetch it again from {archive.page}."
            )
        return target
    folder.mkdir(parents=True, exist_ok=True)
    check_space(archive, folder, partial.stat().st_size if partial.is_file() else 0)
    addresses = [f"{mirror.rstrip('/')}/{archive.file}"] if mirror else []
    failures = []
    for address in [*addresses, archive.url]:
        problem = _from(address, archive, partial)
        if not problem:
            partial.replace(target)
            return target
        failures.append(f"{address}: {problem}")
    raise DownloadError(
        f"{target}: found {'; '.join(failures)}; wanted {archive.described}. Fetch {archive.file} by hand from {archive.page} and put it into {folder}, "
        "or set data.mirror to an address of a folder that has it, and run the same command again."
    )


def check_space(archive: Archive, folder: Path, already: int) -> None:
    """Raise DownloadError unless the disk has room for the rest of the archive and for its content."""
    wanted = archive.size - min(already, archive.size) + (archive.unpacked or archive.size)
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise DownloadError(
            f"{folder}: found {free / 1e9:.1f} GB free; wanted {wanted / 1e9:.1f} GB for {archive.file} and its content. Make room, or set "
            "dataset_root to a folder on another disk. Nothing was downloaded."
        )


def unpack(archive: Archive, path: Path, folder: Path) -> None:
    """Unpack what the archive holds into a folder; a part that is there already stays.

    Raises: DownloadError for a damaged archive and for one of other content, as of another year.
    """
    sys.stderr.write(f"unpacking {path}\n")
    with_parts = folder / f".{archive.file}.unpacked"
    shutil.rmtree(with_parts, ignore_errors=True)
    try:
        _extract(path, with_parts)
        lacking = [part for part in archive.holds if not (with_parts / part).exists()]
        if lacking:
            found = ", ".join(sorted(str(p.relative_to(with_parts)) for p in with_parts.glob("*/*"))[:5]) or "nothing"
            raise DownloadError(
                f"{path}: found {found}; wanted {', '.join(lacking)}. It is another archive, perhaps of another year: fetch {archive.file} from "
                f"{archive.page}."
            )
        for part in archive.holds:
            target = folder / part
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                (with_parts / part).replace(target)
    finally:
        shutil.rmtree(with_parts, ignore_errors=True)


def provide(archive: Archive, folder: Path, mirror: str = "") -> None:
    """Fetch and unpack an archive unless its content is there."""
    if all((folder / part).exists() for part in archive.holds):
        return
    unpack(archive, fetch(archive, folder, mirror), folder)


def _extract(path: Path, folder: Path) -> None:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                archive.extractall(folder)
        else:
            with tarfile.open(path) as archive:
                if not SAFE:
                    _no_member_outside(archive, folder)
                archive.extractall(folder, **SAFE)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (
            None,
            errno.EINVAL,
        ):  # a zip that is cut seeks before its begin
            raise
        raise DownloadError(
            f"{path}: found a damaged archive ({error}); wanted a whole one. Delete it and run the same command again."
        ) from error


def _no_member_outside(archive: tarfile.TarFile, folder: Path) -> None:
    """Raise TarError for a member that is neither a file nor a folder, or lies outside of the folder: published archives have none."""
    for member in archive:
        inside = (folder / member.name).resolve().is_relative_to(folder.resolve())
        if not inside or not (member.isfile() or member.isdir()):
            raise tarfile.TarError(f"{member.name} is a link or lies outside of the folder")


def _problem(archive: Archive, path: Path) -> str:
    """Return in which way a whole file is not the archive; empty where it is."""
    size = path.stat().st_size
    if size != archive.size:
        return f"{size:,} bytes"
    if archive.md5:
        from torchvision.datasets.utils import calculate_md5

        if (md5 := calculate_md5(path, CHUNK)) != archive.md5:
            return f"md5 {md5}"
    return ""


def _from(address: str, archive: Archive, partial: Path) -> str:
    """Download from an address into a partial file; return why it failed, empty where it is whole and right."""
    problem = ""
    for _ in range(TRIES):
        try:
            _append(address, archive, partial)
        except (OSError, http.client.HTTPException) as error:
            problem = f"{type(error).__name__} {error}" if not isinstance(error, urllib.error.HTTPError) else str(error)
            code = error.code if isinstance(error, urllib.error.HTTPError) else 0
            if code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                partial.unlink(missing_ok=True)  # a part of another file
            elif 400 <= code < 500:
                return problem
            continue
        problem = _problem(archive, partial)
        if not problem:
            return ""
        if partial.stat().st_size >= archive.size:
            partial.unlink()
            return problem
    return problem


def _append(address: str, archive: Archive, partial: Path) -> None:
    """Download what a partial file lacks; a server that ignores the range sends all, and the file begins anew."""
    start = partial.stat().st_size if partial.is_file() else 0
    if start >= archive.size:
        start = 0
    headers = {"Range": f"bytes={start}-"} if start else {}
    request = urllib.request.Request(address, headers={"User-Agent": "wsss-stages", **headers})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
        goes_on = (
            start > 0
            and response.status == 206
            and response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        )
        start = start if goes_on else 0
        pace, done = Pace(archive.size, start), start
        with open(partial, "ab" if goes_on else "wb") as file:
            while done <= archive.size and (chunk := response.read(CHUNK)):
                file.write(chunk)
                done += len(chunk)
                if pace.due(done):
                    sys.stderr.write(
                        f"{archive.file}: {done / 1e6:.0f} of {archive.size / 1e6:.0f} MB, {pace.left(done):.0f} s left\n"
                    )
