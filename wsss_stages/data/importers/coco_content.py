"""The content of a list in COCO's layout: images, annotations by image, categories; ids count as one however they
are written.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsss_stages import UNKNOWN
from wsss_stages.data.documents import read_json
from wsss_stages.data.findings import DefectError, Finding
from wsss_stages.data.importers.coco_lists import KEYS, missing_keys
from wsss_stages.data.names import class_problem
from wsss_stages.data.notes import Notes

WHOLE = re.compile(r"(0|-?[1-9][0-9]{0,17})(\.0+)?")
BACKGROUND = ("background", "_background_", "__background__")
"""Names of the category that is no class, in any case of letters."""
WRITTEN = "ids written as text or with a point, read as whole numbers"
REPEATED = "images and categories listed twice alike, taken once"
NO_BACKGROUND = "category of the background without objects, left out"

Id = int | str


@dataclass
class Content:
    """The content of a list."""

    images: list[dict] = field(default_factory=list)
    annotations: dict[Id, list[dict]] = field(default_factory=dict)
    """By their image's id."""
    categories: dict[Id, str] = field(default_factory=dict)
    background: set[Id] = field(default_factory=set)
    """Ids of the categories that are no class."""

    @property
    def used(self) -> set[Id]:
        """Return ids of the categories that have annotations."""
        ids = (annotation.get("category_id") for group in self.annotations.values() for annotation in group)
        return {number for number in ids if isinstance(number, Id)}


def read_content(path: Path, findings: list[Finding], notes: Notes) -> Content:
    """Return the content of a list; without images where their ids are invalid, without categories where theirs are.
    Raises DefectError for a file that is no list.
    """
    content: Any = read_json(path)
    if missing := missing_keys(content):
        raise DefectError(f"no list {', '.join(missing)}", f"lists {', '.join(KEYS)}", "Export it again.")
    for key in KEYS:
        strange = [entry for entry in content[key] if not isinstance(entry, dict)]
        if strange:
            raise DefectError(f"{str(strange[0])[:40]!r} in {key}", "objects {...}", "Export it again.")
    written = 0
    for key, names in (("images", ["id"]), ("categories", ["id"]), ("annotations", ["image_id", "category_id"])):
        for entry in content[key]:
            for name in names:
                if (number := identity(entry.get(name))) is not None and type(number) is not type(entry[name]):
                    entry[name] = number
                    written += 1
    notes.add(WRITTEN, written, path.name)
    read = Content()
    _categories(path, content["categories"], read, findings, notes)
    _images(path, content, read, findings, notes)
    for number in sorted(map(str, read.background - read.used)):
        notes.add(NO_BACKGROUND, 1, f"id {number}")
    return read


def identity(value: object) -> Id | None:
    """Return an id in one way of writing: 1, 1.0, '1' and '1.0' are 1, other texts stay; None for an invalid id."""
    if isinstance(value, str):
        return int(value.partition(".")[0]) if WHOLE.fullmatch(value) else value
    if type(value) is float and value.is_integer():
        return int(value)
    return value if type(value) is int else None


def _categories(path: Path, entries: list[dict], read: Content, findings: list[Finding], notes: Notes) -> None:
    pairs: list[tuple[Any, Any]] = [(entry.get("id"), entry.get("name")) for entry in entries]
    strange = not all(type(number) in (int, str) and isinstance(name, str) and name for number, name in pairs)
    if not strange:
        unique = dict.fromkeys((number, unicodedata.normalize("NFC", name)) for number, name in pairs)
        notes.add(REPEATED, len(pairs) - len(unique), path.name)
        read.background = {number for number, name in unique if name.casefold() in BACKGROUND}
        classes = {number: name for number, name in unique if name.casefold() not in BACKGROUND}
        strange = len(classes) + len(read.background) < len(unique) or len(set(classes.values())) < len(classes)
    if strange:
        wanted = "a whole number or a text as id and a name, none twice"
        findings.append(Finding(path, f"categories {str(pairs)[:80]}", wanted, "Correct them."))
    elif not 1 <= len(classes) < UNKNOWN:
        findings.append(Finding(path, f"{len(classes)} categories", f"1 to {UNKNOWN - 1}", "Merge some of them."))
    else:
        read.categories = classes
        for name in classes.values():
            if problem := class_problem(name):
                wanted = "names of letters, digits, marks and blanks"
                findings.append(Finding(path, f"category {name[:40]!a} with {problem}", wanted, "Rename it."))


def _images(path: Path, content: dict, read: Content, findings: list[Finding], notes: Notes) -> None:
    numbers = [(entry.get("id"), "image") for entry in content["images"]]
    numbers += [(entry.get("image_id"), "annotation of image") for entry in content["annotations"]]
    strange = [f"{what} {number!r}" for number, what in numbers if type(number) not in (int, str)]
    images: dict[Id, dict] = {}
    if not strange:
        repeated = [entry for entry in content["images"] if images.setdefault(entry["id"], entry) is not entry]
        counts = Counter(entry["id"] for entry in repeated if entry != images[entry["id"]])
        strange = [f"image id {number!r} {count + 1} times" for number, count in counts.items()]
        notes.add(REPEATED, len(repeated), path.name)
    if strange:
        wanted = "a whole number or a text as id of every image, none twice"
        findings += [Finding(path, found, wanted, "Correct the ids.") for found in strange]
        return
    annotations = defaultdict(list)
    for annotation in content["annotations"]:
        annotations[annotation["image_id"]].append(annotation)
    for number in [number for number in annotations if number not in images]:
        found = f"annotation {annotations[number][0].get('id')} of image {number}, which is not in the list"
        findings.append(Finding(path, found, "an image of images", "Add the image or remove its annotations."))
    read.images, read.annotations = list(images.values()), dict(annotations)
