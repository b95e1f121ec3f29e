"""Files of tensors, .safetensors and torch's, distinguished by their content; no code in them is ever run."""

import json
import re
import zipfile
from pathlib import Path

import torch
from torch import Tensor

BEGINNINGS = {
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself; `git lfs pull` fetches it",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"\x80": "a pickle",
    b"{": "a JSON text",
}
"""First bytes of other kinds of files."""
HEADER_BYTES = 100_000_000
"""Longest header that safetensors allows, bytes."""


class TensorFileError(ValueError):
    """A file without usable tensors: where, found, wanted."""


def read(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a file by name, as they were saved or in a wrapper `state_dict` or `model`.

    Raises TensorFileError.
    """
    if not path.is_file():
        raise TensorFileError(f"{path}: no such file; wanted .pth or .safetensors weights, 'package', 'hub' or 'none'")
    try:
        if _header(path) is not None:
            from safetensors.torch import load_file

            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise TensorFileError(
            f"{path}: found {describe(path, error)}; wanted plain tensors, .safetensors or .pth. Fetch a truncated download "
            "again. Code is never run: convert such a file to .safetensors on a machine that you trust."
        ) from error
    for wrapper in ("state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise TensorFileError(f"{path}: holds {_content(state)}, not a dictionary of tensors")
    if bad := not_finite(state):
        raise TensorFileError(f"{path}: {bad}")
    return state


def describe(path: Path, error: Exception | None = None) -> str:
    """Return the actual kind of a file, in words. `error`: torch's message about it."""
    if not path.is_file():
        return "no file at all"
    size = path.stat().st_size
    with open(path, "rb") as file:
        start = file.read(512)
    if not size:
        return "an empty file"
    if (header := _header(path)) is not None:
        return _safetensors(header, size)
    if re.match(rb"\s*(<!doctype html|<html)", start, re.I):
        return "an HTML page: a download that failed, or that needs a login"
    if start.startswith(b"PK\x03\x04"):
        return _archive(path, size, error)
    if found := re.search(r"GLOBAL (\S+)", str(error)):
        return f"a pickle with code in it ({found[1]})"
    kind = next((kind for begin, kind in BEGINNINGS.items() if start.startswith(begin)), "no file of tensors")
    more = f", begins with {start[:16]!r}" if kind in ("no file of tensors", "a JSON text") else ""
    return f"{kind} ({size} bytes{more})"


def not_finite(state: dict[str, Tensor]) -> str:
    """Return which tensors hold NaN or infinity, in words; empty if none does."""
    bad = [name for name, tensor in state.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    return f"{bad[0]} holds NaN or infinity ({len(bad)} of {len(state)} tensors do)" if bad else ""


def _header(path: Path) -> dict | None:
    """Return the header of a safetensors file, whose tensors may be cut off; None of any other file."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= HEADER_BYTES:
            return None
        text = file.read(length)
    if not text.startswith(b"{"):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return {} if len(text) < length else None


def _safetensors(header: dict, size: int) -> str:
    try:
        ends = [int(tensor["data_offsets"][1]) for name, tensor in header.items() if name != "__metadata__"]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return f"a safetensors file with a damaged header ({size} bytes)"
    if not ends:
        return f"a safetensors file without tensors, perhaps cut off in its header ({size} bytes)"
    missing = 8 + max(ends) - size
    if missing > 0:
        return (
            f"a safetensors file of {len(ends)} tensors that is cut off ({size} bytes, at least {missing} are missing)"
        )
    return f"a safetensors file of {len(ends)} tensors ({next(iter(set(header) - {'__metadata__'}))} is one)"


def _archive(path: Path, size: int, error: Exception | None) -> str:
    """Return the kind of a zip archive: torch saves in such archives, too."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return f"a file of torch, or another zip archive, that is cut off ({size} bytes)"
    if not any(name.endswith("data.pkl") for name in names):
        return f"a zip archive of {len(names)} files ({names[0] if names else 'none'} first); unpack it"
    if found := re.search(r"GLOBAL (\S+)", str(error)):
        return f"a file of torch with code in it ({found[1]})"
    return f"a file of torch ({size} bytes), of which torch says: {next(iter(str(error).splitlines()), 'nothing')}"


def _content(state: object) -> str:
    if not isinstance(state, dict):
        return type(state).__name__
    name, value = next((name, value) for name, value in state.items() if not isinstance(value, Tensor))
    return f"a dictionary whose {name} is {type(value).__name__}"
