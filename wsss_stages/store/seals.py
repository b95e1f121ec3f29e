"""Seals: sha256 of a file's bytes in the file itself, so that a flipped byte is noticed before anything reads it.

A writer puts `BLANK` where the format keeps text (an HDF5 attribute, a PNG text chunk, a JSON key, the metadata of safetensors), and
`close` fills it in: the digest is that of all bytes with the blank as written. Every byte of the file is under it, and no parser sees
a damaged one.
"""

import hashlib
import zlib
from pathlib import Path

MARK = "wsss-seal:"
BLANK = MARK + 64 * "0"
PNG, PNG_CHUNK = b"\x89PNG", b"tEXtseal\0"
"""The beginning of a PNG, and the chunk that holds the seal: type, key."""


def close(path: Path) -> None:
    """Fill in the blank of a file that is just being written. Raises ValueError if it has none."""
    place = _seal(path.read_bytes())
    if place is None:
        raise ValueError(f"{path} has no place for a seal")
    start, seal = place
    with open(path, "r+b") as file:
        file.seek(start)
        file.write(seal)


def fault(path: Path) -> str:
    """Return the defect of a file's seal; empty if the file is what was written. Raises OSError if it cannot be read."""
    data = path.read_bytes()
    place = _seal(data)
    if place is None:
        return f"none of its {len(data)} bytes begin a seal"
    start, seal = place
    return (
        ""
        if data[start : start + len(seal)] == seal
        else "its seal does not match its bytes, some of which have changed"
    )


def _seal(data: bytes) -> tuple[int, bytes] | None:
    """Return the place of a file's seal and its value: the digest, in a PNG with the chunk's checksum behind it."""
    mark = data.find(MARK.encode())
    if mark < 0:
        return None
    start = mark + len(MARK)
    end = start + 64 + (4 if data.startswith(PNG) else 0)
    digest = hashlib.sha256(memoryview(data)[:start])
    digest.update(memoryview(data)[end:])
    seal = digest.hexdigest().encode()
    if data.startswith(PNG):
        seal += zlib.crc32(PNG_CHUNK + data[mark:start] + seal).to_bytes(4, "big")
    return start, seal
