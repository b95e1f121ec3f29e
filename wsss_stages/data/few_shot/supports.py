"""A user's folder of a few annotated photographs: NAME.jpg, and its mask masks/NAME.png."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wsss_stages import UNKNOWN
from wsss_stages.data.findings import DatasetError, DefectError, Finding
from wsss_stages.data.images import SUFFIXES, ImageError, label_size, read_labels, read_photo
from wsss_stages.data.importers.photographs import formats, hidden
from wsss_stages.data.names import has_file, id_problem

Pair = tuple[Path, Path, Path]
LAYOUT = "photographs NAME.jpg (png, tif, webp, bmp) and for each its mask masks/NAME.png, 0 for background"


@dataclass
class Support:
    """A photograph (h, w, 3) uint8 and its mask (h, w) uint8: 0 background, 1 object, 255 unknown."""

    name: str
    photo: np.ndarray
    mask: np.ndarray


def photographs(folder: Path) -> list[Path]:
    """Return the photographs of a folder by name.

    Raises DatasetError if there is none, or if a name cannot be used for results.
    """
    found = (
        sorted(p for p in folder.glob("*") if p.suffix.lower() in SUFFIXES and not hidden(p.name))
        if folder.is_dir()
        else []
    )
    if not found:
        what = "no photograph" if folder.is_dir() else "no such folder"
        raise DatasetError([Finding(folder, what, f"at least one, {formats()}", "Put photographs there.")])
    findings = [
        Finding(path, f"a name with {problem}", "a name that results can have", "Rename it.")
        for path in found
        if (problem := id_problem(path.stem))
    ]
    of_name = {path.stem: path for path in reversed(found)}
    findings += [
        Finding(
            path, f"a second photograph of this name, beside {of_name[path.stem].name}", "one of a name", "Rename it."
        )
        for path in found
        if of_name[path.stem] != path
    ]
    if findings:
        raise DatasetError(findings)
    return found


def read_supports(folder: Path) -> list[Support]:
    """Read all annotated photographs of a folder; all defects are reported together. Raises DatasetError."""
    return read_pairs([(path, folder / "masks" / f"{path.stem}.png", folder) for path in photographs(folder)])


def given_supports(given: Sequence[Sequence[Path]]) -> list[Support]:
    """Read the supports of groups of paths, each a folder as `read_supports` takes, or a photograph and its mask.

    Raises: DatasetError with all defects, ValueError for another number of paths.
    """
    pairs: list[Pair] = []
    for group in given:
        if len(group) == 1 and not group[0].is_file():
            pairs += [(path, group[0] / "masks" / f"{path.stem}.png", group[0]) for path in photographs(group[0])]
        elif len(group) == 2:
            pairs.append((group[0], group[1], group[1].parent))
        else:
            named = " ".join(map(str, group))
            raise ValueError(
                f"--support {named}: found {len(group)} files; wanted a photograph and its mask, or a folder of {LAYOUT}. Give --support "
                "PHOTO MASK once for each photograph."
            )
    return read_pairs(pairs)


def read_pairs(pairs: Sequence[Pair]) -> list[Support]:
    """Read annotated photographs: photograph, mask, and the folder that files may link into. Raises DatasetError with all defects.

    In a mask any number but 0 is the object. Beside another number 255 is unknown; alone it is the object, as black and white
    masks have it.
    """
    supports, findings = [], []
    for path, mask_path, root in pairs:
        try:
            if not has_file(path, root, "or point --support"):
                findings.append(Finding(path, "no such photograph", LAYOUT, "Check --support."))
                continue
            if not has_file(mask_path, root, "or point --support"):
                findings.append(
                    Finding(mask_path, f"no mask of {path.name}", LAYOUT, "Draw it or remove the photograph.")
                )
                continue
            photo = read_photo(path)
            if problem := _size_problem(photo, label_size(mask_path)):
                findings.append(Finding(mask_path, *problem))
                continue
            drawn = read_labels(mask_path)
        except DefectError as error:
            findings.append(error.in_file(path))
            continue
        except ImageError as error:
            findings.append(Finding(path, f"{error}, or in its mask", LAYOUT, "Export both again."))
            continue
        values = set(np.unique(drawn).tolist()) - {0}
        unknown = (drawn == UNKNOWN) if values - {UNKNOWN} else np.zeros(drawn.shape, bool)
        mask = np.where(unknown, UNKNOWN, drawn > 0).astype(np.uint8)
        if problem := _problem(mask):
            findings.append(Finding(mask_path, *problem))
        supports.append(Support(path.stem, photo, mask))
    if findings:
        raise DatasetError(findings)
    return supports


def _size_problem(photo: np.ndarray, size: tuple[int, int]) -> tuple[str, str, str] | None:
    """Return found, wanted and remedy."""
    found, wanted = (f"{width}x{height} pixels" for height, width in (size, photo.shape[:2]))
    return (found, f"{wanted} as its photograph", "Export it at the photograph's size.") if found != wanted else None


def _problem(mask: np.ndarray) -> tuple[str, str, str] | None:
    """Return found, wanted and remedy."""
    if not (mask == 1).any():
        return "a mask without a pixel of the object", "an object", "Draw it or remove the photograph."
    if not (mask == 0).any():
        return (
            "a mask without a pixel of background",
            "some background around the object",
            "Take a photograph that shows more.",
        )
    return None
