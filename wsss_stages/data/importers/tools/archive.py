"""Zip archives of annotation tools, read in place: a member is never unpacked under its own name.

An archive with a member that leads out of a folder, is a link, is encrypted, has a name twice or unpacks to far more bytes than it has is
refused as a whole.
"""

import stat
import zipfile
from io import BufferedIOBase
from pathlib import Path

from wsss_stages.data.findings import DefectError, Finding
from wsss_stages.data.importers.photographs import hidden

MOST_MEMBERS = 5_000_000
MOST_BYTES = 1 << 40
"""Unpacked bytes of all members."""
RATIO = 200
"""Most unpacked bytes for one packed byte, of members above FREE; deflate reaches 1,032 on a file of one value."""
FREE = 64 << 20
"""Bytes of a member that may be packed as tightly as its tool can, as lists of empty masks are."""
REMEDY = "Make the archive again with its tool's export."


def opened(path: Path, findings: list[Finding]) -> tuple[zipfile.ZipFile | None, dict[str, zipfile.ZipInfo]]:
    """Return an archive and its files by name, without system files; None with a finding for one that is refused."""
    try:
        archive = zipfile.ZipFile(path)
        return archive, _members(archive)
    except DefectError as error:
        findings.append(error.in_file(path))
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        findings.append(Finding(path, f"no zip archive ({error})", "a zip of an annotation tool", REMEDY))
    return None, {}


def read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> BufferedIOBase:
    """Return an open member. Raises DefectError."""
    try:
        return archive.open(member)  # type: ignore[return-value]
    except (zipfile.BadZipFile, NotImplementedError, OSError, RuntimeError) as error:
        raise DefectError(f"a member that cannot be unpacked ({error})", "a whole archive", REMEDY) from error


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > MOST_MEMBERS or sum(info.file_size for info in infos) > MOST_BYTES:
        what = f"{len(infos)} members of {sum(info.file_size for info in infos)} bytes"
        raise DefectError(what, f"at most {MOST_MEMBERS} of {MOST_BYTES}", "Unpack it by hand.")
    found: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        _check(info)
        if info.is_dir() or any(map(hidden, info.filename.split("/"))):
            continue
        if info.filename in found:
            raise DefectError(f"the member {info.filename!r} twice", "every name once", REMEDY)
        found[info.filename] = info
    return found


def _check(info: zipfile.ZipInfo) -> None:
    """Raise DefectError for a member that nobody's export has."""
    name, inside = info.filename, "members below the archive's own folder"
    if name.startswith("/") or "\\" in name or ":" in name.split("/")[0] or ".." in name.split("/") or "\0" in name:
        raise DefectError(f"the member {name!r}, which leads out of the archive", inside, REMEDY)
    if stat.S_ISLNK(info.external_attr >> 16):
        raise DefectError(f"the member {name!r}, which is a link", inside, REMEDY)
    if info.flag_bits & 1:
        raise DefectError(f"the encrypted member {name!r}", "an archive without a password", REMEDY)
    if info.file_size > FREE and info.file_size > RATIO * max(1, info.compress_size):
        found = f"the member {name!r} of {info.compress_size} bytes that unpacks to {info.file_size}"
        raise DefectError(found, f"at most {RATIO} bytes for each", REMEDY)
