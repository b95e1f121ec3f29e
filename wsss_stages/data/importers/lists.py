"""Lists of a folder in VOC layout: which images are for training and which for validation.

ImageSets/Segmentation/NAME.txt, or where that folder has no list ImageSets/Main/NAME.txt, or there CLASS_NAME.txt of
every class. A line is an id, an id and more words, or the path of a photograph: the one that exists in the folder.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from wsss_stages.data.documents import read_lines
from wsss_stages.data.findings import DefectError, Finding
from wsss_stages.data.images import SUFFIXES
from wsss_stages.data.importers.photographs import image_id, missing_plugin
from wsss_stages.data.names import below, has_file, id_problem
from wsss_stages.data.notes import Notes

FROM_MAIN = "lists taken from ImageSets/Main, for ImageSets/{} has none"
FROM_PATHS = "lines of lists that are paths or file names, taken by the name of the photograph"
PER_CLASS = "lists of single classes, taken together"
WITH_FLAG = re.compile(r"[ \t]+(-1|0|1)$")
"""The flag of a line in a list of one class: absent, difficult or present."""
BLANKS = re.compile(r"[ \t]+")
MOST_WORDS = 50
"""Most words of a line; file names have fewer."""
NAMED = 5
"""Ids that a finding names."""


@dataclass
class Lists:
    """The lists of a folder, and the photographs that their lines may name."""

    root: Path
    kind: str
    """Folder below ImageSets."""
    photos: dict[str, str]
    unread: dict[str, str]
    """Files beside them that are not read, by id."""
    findings: list[Finding]
    notes: Notes
    made: Mapping[str, list[str]] = field(default_factory=dict)
    """Lines of lists that need no file, by name; a file of the name counts before them."""

    def __post_init__(self) -> None:
        folder, main = self.root / "ImageSets" / self.kind, self.root / "ImageSets" / "Main"
        self.folder = folder
        if not any(folder.glob("*.txt")) and any(main.glob("*.txt")):
            self.folder = main
            self.notes.add(FROM_MAIN.format(self.kind))

    def splits(self, train: str, val: str) -> dict[str, list[str]]:
        """Return the ids of both splits; without lists every photograph is for training."""
        splits: dict[str, list[str]] = {"train": [], "val": []}
        if not self.folder.is_dir():
            splits["train"] = list(self.photos)
        else:
            splits = {"train": self.ids(train, "train_list") or [], "val": self.ids(val) or []}
            trained = set(splits["train"])
            if both := [name for name in splits["val"] if name in trained]:
                what = f"{len(both)} ids that are in {train}.txt too: {', '.join(both[:NAMED])}"
                remedy = "Scores on training images would flatter: remove them from one."
                self.findings.append(Finding(self.folder / f"{val}.txt", what, "no image in both lists", remedy))
            used = trained.union(splits["val"])
            self.notes.add_each("photographs in no list, left out", (n for n in self.photos if n not in used))
        if not splits["train"] and not self.findings:
            what, remedy = "no training image", "Put images into JPEGImages."
            self.findings.append(Finding(self.root, what, "at least one", remedy))
        return splits

    def ids(self, name: str, option: str = "") -> list[str] | None:
        """Return the photographs that a list names, every one once; None without the list.

        Args:
            option: of the section `data`, by which the list was asked for: without the list, that is a finding.
        """
        path, lines = self._lines(name)
        if lines is None:
            if option:
                names = ", ".join(sorted({*(p.stem for p in self.folder.glob("*.txt")), *self.made})) or "none"
                remedy = f"Set data.{option} to one of them."
                self.findings.append(Finding(path, "no such list", f"one of {names}", remedy))
            return None
        counts: Counter[str] = Counter()
        for line in lines:
            chosen = next((c for c in candidates(line) if c in self.photos), None)
            if chosen is None:
                self._unknown(path, line)
                continue
            if chosen != image_id(line) and not image_id(line).startswith((f"{chosen} ", f"{chosen}\t")):
                self.notes.add(FROM_PATHS, 1, line)
            counts[chosen] += 1
        for repeated, count in counts.items():
            if count > 1:
                what, remedy = f"id {repeated} {count} times", "Remove the repeated lines."
                self.findings.append(Finding(path, what, "every id once", remedy))
        return list(counts)

    def _lines(self, name: str) -> tuple[Path, list[str] | None]:
        """Return a list's file and its lines, None without such a file; one that cannot be read is a finding and empty."""
        path = self.folder / f"{name}.txt"
        try:
            path = below(self.folder, f"{name}.txt")
            if has_file(path, self.root):
                return path, read_lines(path)
            if name in self.made:
                return path, self.made[name]
            parts = sorted(self.folder.glob(f"*_{re.escape(name)}.txt")) if self.folder.name == "Main" else []
            self.notes.add_each(PER_CLASS, (part.name for part in parts))
            lines = [line for part in parts if has_file(part, self.root) for line in read_lines(part)]
            return path, list(dict.fromkeys(WITH_FLAG.sub("", line) for line in lines)) if parts else None
        except DefectError as error:
            self.findings.append(error.in_file(path))
            return path, []

    def _unknown(self, path: Path, line: str) -> None:
        """Add the finding that no photograph fits a line."""
        names = list(candidates(line))
        if problem := id_problem(names[0]):
            wanted = "the name of a photograph in JPEGImages"
            self.findings.append(
                Finding(path, f"id {line[:80]!a} with {problem}", wanted, "Rename the image and correct the list.")
            )
            return
        beside = next((self.unread[name] for name in names if name in self.unread), "")
        what = f"id {names[-1]} without an image" + f" that can be read: there is {beside}" * bool(beside)
        lacking = missing_plugin(beside)
        remedy = f"{lacking[0].upper()}{lacking[1:]}." if lacking else "Add the image or remove the line."
        self.findings.append(Finding(path, what, f"JPEGImages/{names[-1]}.jpg", remedy))


def candidates(line: str) -> Iterator[str]:
    """Yield the ids that a line of a list may mean: the line, then less and less of its words, each also as a file's stem."""
    ends = [len(line), *reversed([blank.start() for blank in BLANKS.finditer(line)])]
    for end in ends[:MOST_WORDS]:
        text = line[:end]
        yield image_id(text)
        name = PurePosixPath(text.replace("\\", "/")).name
        suffix = PurePosixPath(name).suffix
        stem = name.removesuffix(suffix) if suffix.lower() in SUFFIXES else name
        if stem and stem != text:
            yield image_id(stem)
