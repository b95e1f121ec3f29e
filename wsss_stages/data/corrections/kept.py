"""The folder that keeps the corrections of a run: corrections.json, and masks/ID.DIGEST.png that it names.

A mask's name has the beginning of the sha256 of its bytes, so that no file is ever changed: corrections.json is replaced last, in one
step, and names the masks that were there before or those that are there now.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from wsss_stages.data.corrections.correction import Correction
from wsss_stages.data.findings import DatasetError, Finding
from wsss_stages.data.importers.voc_writer import write_labels
from wsss_stages.data.index import Index
from wsss_stages.data.notes import Notes
from wsss_stages.store import artifacts, locks

FILE, MASKS = "corrections.json", "masks"
VERSION = 1
REPLACED = "corrections that replace an earlier one of the image"
SAME = "corrections that are kept already"
DIGITS = 12
"""Hexadecimal digits of a sha256 in the name of a mask."""


@dataclass
class Entry:
    """The corrected labels of one image as the folder keeps them."""

    photo_sha256: str
    """sha256 of the photograph that was corrected."""
    how: str
    who: str
    when: str
    source: str
    source_sha256: str
    mask: str = ""
    """Name below masks/; empty: no mask was corrected."""
    mask_sha256: str = ""
    boxes: list[list[int]] | None = None
    box_classes: list[int] | None = None
    points: list[list[int]] | None = None

    @property
    def labels(self) -> list:
        """Return the labels, without where they come from."""
        return [self.photo_sha256, self.mask_sha256, self.boxes, self.box_classes, self.points]


@dataclass
class Kept:
    """The content of the folder."""

    folder: Path
    classes: list[str]
    entries: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Kept":
        """Read a folder. Raises DatasetError where there is none, or it is damaged."""
        path = folder / FILE
        remedy = "Import the corrections again: wsss import --help"
        if not path.is_file():
            raise DatasetError([Finding(folder, f"no {FILE}", "a folder of corrections", "Correct data.corrections.")])
        try:
            content = artifacts.read_sealed(path)
        except artifacts.ContractError as error:
            raise DatasetError(
                [Finding(path, "a damaged file", "corrections as they were imported", remedy)]
            ) from error
        if content.get("corrections") != VERSION:
            raise DatasetError([Finding(path, f"version {content.get('corrections')}", f"version {VERSION}", remedy)])
        return cls(folder, content["classes"], {name: Entry(**entry) for name, entry in content["images"].items()})

    def write(self) -> None:
        """Replace corrections.json, and delete the masks that it no longer names."""
        images = {name: asdict(entry) for name, entry in self.entries.items()}
        content = {"corrections": VERSION, "classes": self.classes, "images": images}
        artifacts.write_sealed(self.folder / FILE, content)
        named = {entry.mask for entry in self.entries.values()}
        for path in (self.folder / MASKS).glob("*.png"):
            if path.name not in named:
                path.unlink()


def keep(folder: Path, index: Index, corrections: Iterable[Correction], source: Path, who: str, notes: Notes) -> Kept:
    """Add corrections, which are checked already, to those of a folder, the last of an image wins; return them all.

    Args:
        source: file or folder that they come from.  who: the person, where a correction does not name one.

    Raises: DatasetError if the folder is of a run with other classes; InUseError if another process writes to it.
    """
    with locks.held(folder / FILE):
        kept = Kept.read(folder) if (folder / FILE).is_file() else Kept(folder, index.classes)
        if kept.classes != index.classes:
            found = f"corrections of the classes {', '.join(kept.classes)[:200]}"
            wanted, remedy = (
                f"those of the run, {', '.join(index.classes)[:200]}",
                "Move the folder away, and import again.",
            )
            raise DatasetError([Finding(folder / FILE, found, wanted, remedy)])
        digest = artifacts.sha256(source) if source.is_file() else ""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        for made in corrections:
            origin = made.who or who, made.when or now, str(source.resolve()), digest
            entry = Entry(index.records[made.image].sha256, made.how, *origin)
            entry.boxes, entry.box_classes, entry.points = made.boxes, made.box_classes, made.points
            if made.mask is not None:
                entry.mask, entry.mask_sha256 = _store(folder / MASKS, made)
            before = kept.entries.get(made.image)
            if before and before.labels == entry.labels:
                notes.add(SAME, 1, made.image)
                continue
            notes.add(REPLACED, int(before is not None), made.image)
            kept.entries[made.image] = entry
        kept.write()
    return kept


def _store(folder: Path, made: Correction) -> tuple[str, str]:
    """Write a mask under the name of its content; return the name and the sha256."""
    assert made.mask is not None
    partial = folder / f"{made.image}.new"
    write_labels(partial, made.mask)
    digest = artifacts.sha256(partial)
    name = f"{made.image}.{digest[:DIGITS]}.png"
    partial.replace(folder / name)
    return name, digest
