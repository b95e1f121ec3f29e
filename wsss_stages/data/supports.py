"""A user's folder of a few annotated photographs: NAME.jpg, and its mask masks/NAME.png."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.data.findings import DatasetError, Finding
from wsss_stages.data.images import SUFFIXES, ImageError, read_labels, read_photo

LAYOUT = "photographs NAME.jpg (png, tif, webp, bmp) and for each its mask masks/NAME.png, 0 for background"


@dataclass
class Support:
    """A photograph (h, w, 3) uint8 and its mask (h, w) uint8: 0 background, 1 object, 255 unknown."""

    name: str
    photo: np.ndarray
    mask: np.ndarray


def photographs(folder: Path) -> list[Path]:
    """The photographs of a folder by name. Raises DatasetError if there is none."""
    found = sorted(p for p in folder.glob("*") if p.suffix.lower() in SUFFIXES) if folder.is_dir() else []
    if not found:
        what = "no photograph" if folder.is_dir() else "no such folder"
        raise DatasetError([Finding(folder, what, "at least one, " + ", ".join(SUFFIXES), "Put photographs there.")])
    return found


def read_supports(folder: Path) -> list[Support]:
    """All annotated photographs of a folder; what is wrong with any is told at once. Raises DatasetError.

    In a mask any number but 0 is the object. Beside another number 255 is unknown; alone it is the object, as black and white
    masks have it.
    """
    supports, findings = [], []
    for path in photographs(folder):
        mask_path = folder / "masks" / f"{path.stem}.png"
        try:
            if not mask_path.is_file():
                findings.append(
                    Finding(mask_path, f"no mask of {path.name}", LAYOUT, "Draw it or remove the photograph.")
                )
                continue
            photo, drawn = read_photo(path), read_labels(mask_path)
        except ImageError as error:
            findings.append(Finding(path, f"{error}, or in its mask", LAYOUT, "Export both again."))
            continue
        values = set(np.unique(drawn).tolist()) - {0}
        unknown = (drawn == UNKNOWN) if values - {UNKNOWN} else np.zeros(drawn.shape, bool)
        mask = np.where(unknown, UNKNOWN, drawn > 0).astype(np.uint8)
        if problem := _problem(photo, mask):
            findings.append(Finding(mask_path, *problem))
        supports.append(Support(path.stem, photo, mask))
    if findings:
        raise DatasetError(findings)
    return supports


def _problem(photo: np.ndarray, mask: np.ndarray) -> tuple[str, str, str] | None:
    """Found, wanted and remedy."""
    size, wanted = (f"{a.shape[1]}x{a.shape[0]} pixels" for a in (mask, photo))
    if size != wanted:
        return size, f"{wanted} as its photograph", "Export it at the photograph's size."
    if not (mask == 1).any():
        return "a mask without a pixel of the object", "an object", "Draw it or remove the photograph."
    if not (mask == 0).any():
        return (
            "a mask without a pixel of background",
            "something beside the object",
            "Take a photograph that shows more.",
        )
    return None
