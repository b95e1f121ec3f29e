"""Which images of an export are for training and which for validation.

A list NAME (data.train_list, data.val_list) is NAME.txt in the folder, a photograph a line, or else the subset NAME of the export. Where
neither is there under the names `train` and `val`, every image is for training.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath

from wsss_stages.data.findings import DefectError, Finding
from wsss_stages.data.importers.photographs import image_id
from wsss_stages.data.importers.tools.source import Source
from wsss_stages.data.notes import Notes

ALIASES = {"valid": "val", "validation": "val", "training": "train"}
LEFT = "images in no list and no subset that is used, left out"
DEFAULTS = {"train": "train", "val": "val"}


def splits_of(
    source: Source,
    subsets: Mapping[str, str],
    photos: Mapping[str, str],
    wanted: Mapping[str, str],
    findings: list[Finding],
    notes: Notes,
) -> dict[str, list[str]]:
    """Return the ids of every split.

    Args:
        subsets: the subset of every image in the export, by id.  photos: path of every image's photograph, by id.
        wanted: name of the list of every split; empty for none.
    """
    found: dict[str, list[str] | None] = {}
    for split, name in wanted.items():
        found[split] = named_images(source, name, photos, findings)
        if found[split] is None and name:
            ids = [key for key, subset in subsets.items() if _plain(subset) == _plain(name)]
            found[split] = ids or None
    if all(ids is None for ids in found.values()) and dict(wanted) == DEFAULTS:
        return {"train": list(photos), "val": []}
    for split, name in wanted.items():
        if found[split] is None and (split == "train" or name != DEFAULTS[split]) and name:
            known = sorted({subset for subset in subsets.values() if subset})
            choice = f"{name}.txt, or a subset: {', '.join(known[:5]) or 'there is none'}"
            findings.append(Finding(source.root / f"{name}.txt", "no such list", choice, f"Correct data.{split}_list."))
    splits = {split: ids or [] for split, ids in found.items()}
    if both := sorted(set(splits["train"]) & set(splits["val"])):
        what = f"{len(both)} images in both lists: {', '.join(both[:5])}"
        findings.append(Finding(source.root, what, "no image in both", "Remove them from one."))
    used = {*splits["train"], *splits["val"]}
    notes.add_each(LEFT, (key for key in photos if key not in used))
    return splits


def named_images(source: Source, name: str, photos: Mapping[str, str], findings: list[Finding]) -> list[str] | None:
    """Return the ids of the images that NAME.txt names, each once; None without the file."""
    file = f"{name}.txt"
    if not name or file not in source.names:
        return None
    try:
        lines = [line.strip() for line in source.text(file).splitlines() if line.strip()]
    except DefectError as error:
        findings.append(error.in_file(source.path(file)))
        return []
    by_name = {image_id(PurePosixPath(path).name): key for key, path in photos.items()}
    by_name |= {image_id(path): key for key, path in photos.items()} | {key: key for key in photos}
    ids: dict[str, None] = {}
    for line in lines:
        plain = image_id(line.replace("\\", "/"))
        key = by_name.get(plain, by_name.get(PurePosixPath(plain).name))
        if key is None:
            wanted, remedy = "the name of a photograph with labels", "Correct the line, or remove it."
            findings.append(Finding(source.path(file), f"the line {line[:80]!r}", wanted, remedy))
        else:
            ids[key] = None
    return list(ids)


def _plain(name: str) -> str:
    small = name.casefold()
    return ALIASES.get(small, small)
