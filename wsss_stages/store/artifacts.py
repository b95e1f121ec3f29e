"""Read and write artifacts against their contracts: whole or absent, sealed, checked, with provenance."""

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

import h5py
import numpy as np
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from wsss_stages.store import seals, tidying
from wsss_stages.store.contracts import Contract
from wsss_stages.store.palette import VOC_PALETTE

META, SEAL = "wsss", "seal"
"""Keys of an artifact's metadata (JSON) and of its seal: HDF5 attributes or PNG text chunks; SEAL is a key of JSON files too."""
STAGE = re.compile(r"(s\d|rrm|dfr|scl)_[a-z_]+")
"""Name of a folder that a stage writes to, and of the rule that makes it."""


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FULL_WORDS = (*map(os.strerror, FULL), "file write failed")
"""Messages of a full disk: the system's, and those of libraries in C and Rust, in error classes of their own."""


class ContractError(ValueError):
    """An artifact that does not fit its contract: where, found, wanted, remedy."""


def sha256(path: Path) -> str:
    """Return the hexadecimal sha256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(*parts: object) -> str:
    """Return sha256 of JSON-able values; equal values give equal fingerprints."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def fingerprint_each(values: Iterable[object]) -> str:
    """Return sha256 of many JSON-able values in their order, of which one at a time is in memory."""
    digest = hashlib.sha256()
    for value in values:
        digest.update(fingerprint(value).encode())
    return digest.hexdigest()


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a temporary name in the same folder; it becomes `path` only when the block succeeds.

    Raises OSError, with a note on the remedy, where the disk is full or not writable.
    """
    partial = tidying.partial_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with open(partial, "rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    except Exception as error:
        if isinstance(error, OSError):
            error.add_note(_not_written(path, error.errno in FULL))
            raise
        if not any(word in str(error) for word in FULL_WORDS):
            raise
        failure = OSError(str(error).splitlines()[0])
        failure.add_note(_not_written(path, True))
        raise failure from error
    finally:
        with suppress(NotADirectoryError):
            partial.unlink(missing_ok=True)


def _not_written(path: Path, full: bool) -> str:
    message = f"{path} was not written; what was there before is untouched."
    if not full:
        return f"{message} Make its folder writable and run the same command again: finished files are kept."
    free = shutil.disk_usage(path.parent).free / 1e6
    return (
        f"{message} {free:.0f} MB are free in {path.parent}, less where a quota or limit holds. Make room and run the same command "
        "again: what is whole is kept."
    )


def write_json(path: Path, content: object) -> None:
    """Write JSON with sorted keys, whole or absent."""
    with whole(path) as partial:
        partial.write_text(_text(content))


def write_sealed(path: Path, content: dict) -> None:
    """Write a JSON object as `write_json`, with a seal."""
    with whole(path) as partial:
        partial.write_text(_text({**content, SEAL: seals.BLANK}))
        seals.close(partial)


def read_sealed(path: Path, made_by: str = "") -> dict:
    """Read what `write_sealed` wrote. Raises ContractError if a byte of it has changed, FileNotFoundError if it is missing.

    Args:
        made_by: the stage to run again, where no folder is named after it.
    """
    intact(path, _again(made_by) if made_by else remedy_of(path))
    content = read_json(path)
    del content[SEAL]
    return content


def intact(path: Path, remedy: str) -> None:
    """Raise ContractError, with the remedy, unless a file's seal is that of its bytes."""
    if fault := seals.fault(path):
        raise ContractError(f"{path} is damaged or not ours ({fault}). {remedy}")


def remedy_of(path: Path) -> str:
    """Return how to make a file again: by the stage whose name a folder on its path has; else by hand."""
    for name in reversed(path.absolute().parent.parts):
        if STAGE.fullmatch(name):
            return _again(name)
    return f"Run the stage that makes it again; {path.name}.made.json beside it, if it exists, has the command."


def read_json(path: Path) -> dict:
    """Read a JSON object of anyone's; raises ContractError with the file's name for an invalid one."""
    try:
        return json.loads(Path(path).read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ContractError(
            f"{path} is not JSON ({error}). Delete it and run the stage that makes it again."
        ) from error


def check(contract: Contract, arrays: dict[str, np.ndarray], where: str) -> None:
    """Raise ContractError unless names, dtypes and axes are the contract's; equal letters are equal sizes."""
    size: dict[str, int] = {}
    for name, field in contract.fields.items():
        if name not in arrays:
            raise ContractError(
                f"{where} has no {name}; {contract.name} v{contract.version} wants it. {_remedy(contract)}"
            )
        array, axes = arrays[name], field.shape.split()
        fits = (
            array.dtype == field.dtype
            and array.ndim == len(axes)
            and all(size.setdefault(axis, n) == n for axis, n in zip(axes, array.shape, strict=True))
        )
        if not fits:
            raise ContractError(
                f"{where}/{name} is {array.dtype} {array.shape}, but {contract.name} v{contract.version} wants "
                f"{field.dtype} ({field.shape}) with {size}: {field.doc}. {_remedy(contract)}"
            )
        if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
            raise ContractError(f"{where}/{name} holds NaN or infinity: {field.doc}. {_remedy(contract)}")


def write(path: Path, contract: Contract, arrays: dict[str, np.ndarray], meta: dict) -> None:
    """Write one artifact with its metadata; the format is the contract's suffix."""
    check(contract, arrays, str(path))
    text = json.dumps({"contract": contract.name, "version": contract.version, **meta}, sort_keys=True, default=str)
    with whole(path) as partial:
        if contract.suffix == ".h5":
            partial.write_bytes(_hdf5(arrays, text))
        else:
            (array,) = arrays.values()
            _write_png(partial, array, text)
        seals.close(partial)


def read(path: Path, contract: Contract) -> tuple[dict[str, np.ndarray], dict]:
    """Return arrays and metadata of one artifact. Raises ContractError if it is missing, damaged or of another contract."""
    try:
        intact(path, _remedy(contract))
        if contract.suffix == ".h5":
            with h5py.File(path, "r") as file:
                meta = json.loads(str(file.attrs[META]))
                arrays = {name: cast(h5py.Dataset, file[name])[()] for name in contract.fields if name in file}
        else:
            with Image.open(path) as image:
                image.load()
                meta = json.loads(cast(PngImagePlugin.PngImageFile, image).text[META])
                (name,) = contract.fields
                arrays = {name: np.asarray(image).astype(contract.fields[name].dtype)}
    except FileNotFoundError as error:
        raise ContractError(f"{path} is missing. {_remedy(contract)}") from error
    except (
        OSError,
        KeyError,
        AttributeError,
        SyntaxError,
        UnidentifiedImageError,
        json.JSONDecodeError,
    ) as error:
        raise ContractError(f"{path} is damaged or not ours ({error}). {_remedy(contract)}") from error
    found = (meta["contract"], meta["version"])
    if found != (contract.name, contract.version):
        raise ContractError(
            f"{path} is {found[0]} v{found[1]}, but {contract.name} v{contract.version} is wanted. {_remedy(contract)}"
        )
    check(contract, arrays, str(path))
    return arrays, meta


def _text(content: object) -> str:
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _remedy(contract: Contract) -> str:
    return _again(contract.made_by)


def _again(stage: str) -> str:
    return f"Remake it: snakemake --forcerun {stage}"


def _hdf5(arrays: dict[str, np.ndarray], text: str) -> bytes:
    """Return the bytes of an HDF5, made in memory: the library leaves a file that it cannot close when the disk is full."""
    with h5py.File("memory", "w", driver="core", backing_store=False) as file:
        file.attrs[META] = text
        file.attrs[SEAL] = np.bytes_(seals.BLANK)
        for name, array in arrays.items():
            file[name] = array
        file.flush()
        return file.id.get_file_image()


def _write_png(path: Path, array: np.ndarray, text: str) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text(META, text)
    info.add_text(SEAL, seals.BLANK)
    image = Image.fromarray(array)
    if array.dtype == np.uint8:
        image = Image.fromarray(array, mode=None).convert("L")
        image.putpalette(VOC_PALETTE)
    image.save(path, format="PNG", pnginfo=info)
