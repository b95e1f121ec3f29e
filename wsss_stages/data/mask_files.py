"""Masks of the user's own for the prompts of images: FOLDER/ID/K.png, 8-bit grey, or FOLDER/ID.json, COCO run-length codes.

K counts the image's prompts from 0: boxes in the order of the annotation, then scribbles (class by class, connected pixels in reading
order), clicks on objects, and tags without any of these.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from wsss_stages.data import rle
from wsss_stages.data.documents import read_json
from wsss_stages.data.findings import DefectError
from wsss_stages.data.images import ImageError, read_raster
from wsss_stages.data.record import Record
from wsss_stages.store import artifacts


class MaskFileError(ValueError):
    """A file of masks that does not fit its image: where, found, wanted, remedy."""


class MaskFiles:
    """A folder of masks."""

    def __init__(self, folder: Path):
        """Raise MaskFileError unless there is such a folder."""
        if not folder.is_dir():
            raise MaskFileError(
                f"{folder}: found no such folder; wanted masks ID/K.png or ID.json of the images. Set masks.folder to it."
            )
        self.folder = folder

    def check(self, records: Iterable[Record]) -> None:
        """Raise MaskFileError unless one of the images has a file."""
        first = None
        for record in records:
            if self.files(record):
                return
            first = first or record.id
        if first is not None:
            raise MaskFileError(
                f"{self.folder}: found no mask of any training image; wanted {first}/0.png, or {first}.json, of the first one. "
                "Check masks.folder and the names of images."
            )

    def files(self, record: Record) -> list[Path]:
        """Return the files with an image's masks. Raises MaskFileError for two kinds at once or a name that is no number."""
        coded, folder = self.folder / f"{record.id}.json", self.folder / record.id
        drawn = sorted(folder.glob("*.png")) if folder.is_dir() else []
        if drawn and coded.is_file():
            raise MaskFileError(f"{folder}: found masks and {coded.name}; wanted one of both. Delete the other.")
        for path in drawn:
            if not (path.stem.isascii() and path.stem.isdigit()):
                raise MaskFileError(
                    f"{path}: found a mask of this name; wanted the number of a prompt, from 0.png on. Rename or delete it."
                )
        return [coded] if coded.is_file() else drawn

    def evidence(self, record: Record) -> list[list[str]]:
        """Return name and sha256 of an image's files."""
        return [[path.name, artifacts.sha256(path)] for path in self.files(record)]

    def read(self, record: Record, count: int) -> list[np.ndarray | None]:
        """Return the (h, w) uint8 masks of an image's prompts, 0..255, at its full or its working size; None where there is none.

        Raises MaskFileError for masks of another number or size and for files that cannot be read.
        """
        files = self.files(record)
        if files and files[0].suffix == ".json":
            return _decoded(files[0], record, count)
        masks: list[np.ndarray | None] = [None] * count
        for path in files:
            if int(path.stem) >= count:
                raise _of_another_number(path, f"mask {path.stem}", record, count)
            masks[int(path.stem)] = _drawn(path, record)
        return masks


def _drawn(path: Path, record: Record) -> np.ndarray:
    """Return a mask that was drawn; black and white, and palettes of 0 and 1, are 0 and 255."""
    try:
        raster = read_raster(path)
    except ImageError as error:
        raise MaskFileError(
            f"{path}: found {error}; wanted an 8-bit grey PNG, 255 for the object. Save it again as such."
        ) from error
    pixels = raster.pixels
    if pixels.ndim != 2 or pixels.max(initial=0) > 255:
        raise MaskFileError(f"{path}: found colours or more than 8 bits; wanted an 8-bit grey PNG, 255 for the object.")
    _check_size(path, pixels.shape, record)
    if raster.palette is not None or pixels.max(initial=0) <= 1:
        pixels = (pixels > 0) * 255
    return pixels.astype(np.uint8)


def _decoded(path: Path, record: Record, count: int) -> list[np.ndarray | None]:
    """Return the masks of run-length codes; null has none."""
    try:
        codes = read_json(path)
    except DefectError as error:
        raise MaskFileError(str(error.in_file(path))) from error
    if not isinstance(codes, list) or not all(code is None or isinstance(code, dict) for code in codes):
        raise MaskFileError(f"{path}: found no list of run-length codes; wanted [{{size, counts}} or null, ...].")
    if len(codes) != count:
        raise _of_another_number(path, f"{len(codes)} masks", record, count)
    masks: list[np.ndarray | None] = []
    for number, code in enumerate(codes):
        if code is None:
            masks.append(None)
            continue
        size = code.get("size")
        _check_size(path, tuple(size) if isinstance(size, list) else (), record)
        try:
            masks.append(rle.decode(code, *size).astype(np.uint8) * 255)
        except rle.RleError as error:
            raise MaskFileError(
                f"{path}: found at {number} {error}; wanted a run-length code of COCO. Export it again."
            ) from error
    return masks


def _check_size(path: Path, size: tuple[int, ...], record: Record) -> None:
    """Raise MaskFileError for a mask that has neither the size of the photograph nor the working size."""
    full = (record.full_height, record.full_width)
    if tuple(size) not in (full, (record.height, record.width)):
        found = "x".join(map(str, reversed(size)))
        raise MaskFileError(
            f"{path}: found {found} pixels; wanted {full[1]}x{full[0]} like the image. Resize with nearest neighbour, or export it again."
        )


def _of_another_number(path: Path, found: str, record: Record, count: int) -> MaskFileError:
    return MaskFileError(
        f"{path}: found {found}; wanted {count}, the number of prompts of image {record.id}, counted from 0. The masks may belong to "
        "other labels."
    )
