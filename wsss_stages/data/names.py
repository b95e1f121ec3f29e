"""Names from files and settings: which are allowed, and that the file of a name lies in its own folder.

Whole folders may be links, as JPEGImages on another disk: the user set them. A file that a list, a JSON or an image's id names may
be a link only to within its folder or its dataset.
"""

import os
from pathlib import Path

from wsss_stages.data.findings import DefectError

NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
"""The name of a dataset or a variant, which becomes a folder of the results and a word of command lines."""
LONGEST_ID = 200
"""Bytes; file systems take names of 255, and results add a suffix."""
LONGEST_CLASS = 100
"""Characters."""
WORDS = {"diningtable": "dining table", "pottedplant": "potted plant", "tvmonitor": "tv monitor"}
"""VOC's names of several words."""


def words_of(name: str) -> str:
    """Return a class's name as one would say it: VOC's names apart, marks between words as blanks."""
    return " ".join(WORDS.get(name, name).replace("_", " ").replace("-", " ").split())


def id_problem(name: str) -> str | None:
    """Return why a text may not be an image's id, which becomes the name of files; None if it may."""
    if name in (".", ".."):
        return "a name that means another folder"
    if strange := next((c for c in name if c in "/\\"), None):
        return f"{strange!r}, which leads into another folder"
    return text_problem(name) or ("a name that is too long" if len(name.encode()) > LONGEST_ID else None)


def class_problem(name: str) -> str | None:
    """Return why a text may not be the name of a class; None if it may. Markup is allowed: pages escape it."""
    return text_problem(name) or ("a name that is too long" if len(name) > LONGEST_CLASS else None)


def text_problem(name: str) -> str | None:
    """Return why a text cannot be told apart from another by eye; None if it can."""
    if not name.strip(" "):
        return "an empty name"
    if name != name.strip(" "):
        return "a blank at its end"
    if strange := next((c for c in name if not c.isprintable()), None):  # control, separators but a blank, surrogates
        return f"the invisible character {strange!a}"
    return None


def below(folder: Path, name: object) -> Path:
    """Return the path below a folder of a relative name, which may contain folders. Raises DefectError."""
    if not isinstance(name, str):
        raise DefectError(f"{name!r} for a file's name", "a text", "Export it again.")
    for part in name.split("/"):
        if problem := id_problem(part):
            raise DefectError(
                f"the file {name!r} with {problem}",
                f"a file below {folder}",
                "Move the file there or correct its name.",
            )
    return folder / name


def has_file(path: Path, root: Path, remedy: str = "or correct dataset_root") -> bool:
    """Return whether a file that a dataset names exists.

    Raises: DefectError if it is no regular file, or a link that leads out of its folder and of `root`.
    """
    if not os.path.lexists(path):
        return False
    real = Path(os.path.realpath(path))
    if not any(real.is_relative_to(os.path.realpath(home)) for home in (path.parent, root)):
        raise DefectError(
            f"a link to {real}, outside the dataset",
            f"a file below {root}",
            f"Copy the file there, {remedy} to the folder that holds it; a whole folder, such as {path.parent.name}, may be a link.",
        )
    if not real.is_file():
        raise DefectError(
            "no regular file" if real.exists() else "a link to nothing", "a file", "Remove it or put the file there."
        )
    return True
