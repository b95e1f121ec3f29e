"""The JSON files of a folder in COCO's layout that list the training and the validation images, found by name or for certain.

A list NAME is the first of annotations/instances_NAME.json, annotations/NAME.json, NAME/_annotations.coco.json,
NAME/annotations.json, NAME.json and instances_NAME.json. Where the default name has none of them, the only list that
fits is used and reported; where several fit, the user has to choose.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from wsss_stages.data.documents import read_json
from wsss_stages.data.findings import DefectError, Finding, shown
from wsss_stages.data.names import below, has_file
from wsss_stages.data.notes import Notes

KEYS = ("images", "annotations", "categories")
PLACES = (
    "annotations/instances_{}.json",
    "annotations/{}.json",
    "{}/_annotations.coco.json",
    "{}/annotations.json",
    "{}.json",
    "instances_{}.json",
)
WORDS = {"train": r"train(ing)?\d*", "val": r"val(id|idation)?\d*", "test": r"test(ing)?\d*"}
"""Patterns of file names that show the split of a list; the first two keys are the default names, too."""
TAKEN = "file taken for data.{}_list"
UNREAD = "JSON files that are no list of this run, not read"
NO_VALIDATION = "no list of validation images, so that nothing is scored"


@dataclass(frozen=True)
class CocoList:
    """A list of a split: its name, which is that of a folder of photographs, and its JSON."""

    split: str
    name: str
    path: Path


def find_lists(root: Path, train_list: str, val_list: str, findings: list[Finding], notes: Notes) -> list[CocoList]:
    """Return the lists of training and of validation images that are there; a training list that is not is a finding."""
    wanted = {"train": train_list, "val": val_list}
    found, broken = {}, set()
    for split, name in wanted.items():
        try:
            if path := _named(root, name) if name or split == "train" else None:
                found[split] = CocoList(split, name, path)
        except DefectError as error:
            findings.append(error.in_file(root / PLACES[0].format(name)))
            broken.add(split)
    if len(found) > len({source.path for source in found.values()}):
        what = f"the list of data.train_list {train_list} as that of data.val_list {val_list}, too"
        findings.append(Finding(found["val"].path, what, "two lists", "Set data.val_list to another list, or to ''."))
        del found["val"]
    candidates = _candidates(root)
    for split, name in wanted.items():
        if split in found or split in broken:
            continue
        taken = {source.path for source in found.values()}
        fits = _fitting(split, [path for path in candidates if path not in taken], root) if name == split else []
        if len(fits) == 1:
            found[split] = CocoList(split, list_name(fits[0], root), fits[0])
        elif split == "train" or fits:
            what = "no such file, and more than one list that may be meant" if fits else "no such file"
            names = ", ".join(dict.fromkeys(list_name(path, root) for path in (fits or candidates)))
            remedy = f"Set data.{split}_list to the {'training' if split == 'train' else 'validation'} images'."
            findings.append(Finding(root / PLACES[0].format(name), what, f"one of {names or 'none'}", remedy))
        elif name:
            notes.add(NO_VALIDATION, 1, shown(name))
    for source in found.values():
        if source.path != root / PLACES[0].format(source.name) or source.name != wanted[source.split]:
            notes.add(TAKEN.format(source.split), 1, shown(str(source.path.relative_to(root))))
    taken = {source.path for source in found.values()}
    unread = [path for path in sorted({*candidates, *(root / "annotations").glob("*.json")}) if path not in taken]
    notes.add_each(UNREAD, (shown(str(path.relative_to(root))) for path in unread))
    return [found[split] for split in wanted if split in found]


def list_name(path: Path, root: Path) -> str:
    """Return the name by which the settings call a JSON of the folder."""
    in_own_folder = path.name in ("_annotations.coco.json", "annotations.json")
    if in_own_folder and path.parent not in (root, root / "annotations"):
        return path.parent.name
    return path.stem.removeprefix("instances_")


def missing_keys(content: object) -> list[str]:
    """Return which of COCO's three lists a JSON lacks."""
    return [key for key in KEYS if not isinstance(content, dict) or not isinstance(content.get(key), list)]


def _named(root: Path, name: str) -> Path | None:
    below(root, name)
    return next((path for place in PLACES if has_file(path := root / place.format(name), root)), None)


def _candidates(root: Path) -> list[Path]:
    """Return the JSON files where tools put lists; beside instances_*.json the other files of annotations/ belong to
    other tasks.
    """
    annotations = root / "annotations"
    places = [
        sorted(annotations.glob("instances_*.json")) or sorted(annotations.glob("*.json")),
        sorted(root.glob("*/_annotations.coco.json")),
        sorted(root.glob("*/annotations.json")),
        sorted(root.glob("*.json")),
    ]
    return list(dict.fromkeys(path for place in places for path in place))


def _fitting(split: str, candidates: list[Path], root: Path) -> list[Path]:
    """Return the lists that may be a split's: those whose name shows the split, and for training otherwise those
    whose name shows none.
    """
    candidates = [path for path in candidates if _may_be_list(path, root)]
    fits = [path for path in candidates if _says(path, root, WORDS[split])]
    if fits or split != "train":
        return fits
    return [path for path in candidates if not _says(path, root, f"{WORDS['val']}|{WORDS['test']}")]


def _says(path: Path, root: Path, words: str) -> bool:
    return any(re.fullmatch(words, word) for word in re.split(r"[^a-z0-9]+", list_name(path, root).lower()))


def _may_be_list(path: Path, root: Path) -> bool:
    """Return whether a JSON has COCO's lists, or cannot be read, which will be reported."""
    try:
        return has_file(path, root) and not missing_keys(read_json(path))
    except DefectError:
        return True
