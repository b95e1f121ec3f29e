"""The decisions of people on a review page: verdicts.jsonl, a line for every decision, and masks/DIGEST.png that lines name.

The first line has the classes. A line is added in one step and on the disk before the page hears of it; a line that a killed process left
half written is no decision and is cut off. A mask is written before its line and never changed.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from wsss_stages.data.findings import DatasetError, Finding
from wsss_stages.data.importers.voc_writer import write_labels
from wsss_stages.store import artifacts

FILE, MASKS = "verdicts.jsonl", "masks"
VERSION = 1
State = Literal["accept", "fix", "skip", "open"]
STATES = ("accept", "fix", "skip", "open")
"""accept: the labels are right as shown; fix: somebody has to correct them; skip: decided later; open: as if never seen."""


@dataclass
class Verdict:
    """The last decision on an image, with the mask and boxes as they were drawn until then."""

    image: str
    state: State
    who: str
    when: str
    photo_sha256: str
    how: str = ""
    """How an image was accepted: accepted, painted or boxes."""
    mask: str = ""
    """Name below masks/; empty: nothing was painted and, of an accepted image, only boxes were corrected."""
    mask_sha256: str = ""
    boxes: list[list[int]] | None = None
    """x0 y0 x1 y1 in pixels of the photograph, half open; None: not corrected."""
    box_classes: list[int] | None = None


class Verdicts:
    """The verdicts of a folder by image; `add` is for one process at a time."""

    def __init__(self, folder: Path, classes: list[str]):
        """Read a folder, which may be missing. Raises DatasetError if its verdicts are of other classes or damaged."""
        self.folder, self.classes = folder, classes
        self.by_image: dict[str, Verdict] = {}
        self._size = 0
        path = folder / FILE
        if not path.is_file():
            return
        content = path.read_bytes()
        self._size = content.rfind(b"\n") + 1
        lines = content[: self._size].splitlines()
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
                if number == 1:
                    self._check_header(entry)
                    continue
                verdict = Verdict(**entry)
                if verdict.state not in STATES:
                    raise ValueError(f"state {verdict.state!r}")
            except (ValueError, TypeError) as error:
                what = f"line {number} that is no verdict ({error})"
                remedy = "Delete the line, or restore the file."
                raise DatasetError([Finding(path, what, "a line of a review", remedy)]) from error
            self.by_image[verdict.image] = verdict

    def add(self, verdict: Verdict) -> None:
        """Add a decision; it is on the disk when this returns."""
        self.folder.mkdir(parents=True, exist_ok=True)
        header = {"review": VERSION, "classes": self.classes}
        text = b"" if self._size else _line(header)
        text += _line(asdict(verdict))
        with open(self.folder / FILE, "ab") as file:
            if file.tell() > self._size:
                file.truncate(self._size)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        self._size += len(text)
        self.by_image[verdict.image] = verdict

    def store(self, mask: np.ndarray) -> tuple[str, str]:
        """Write (h, w) uint8 classes under the name of their content; return name and sha256."""
        folder = self.folder / MASKS
        partial = folder / "new.png"
        write_labels(partial, mask)
        digest = artifacts.sha256(partial)
        name = f"{digest[:32]}.png"
        partial.replace(folder / name)
        return name, digest

    def _check_header(self, entry: dict) -> None:
        if not isinstance(entry, dict) or entry.get("review") != VERSION:
            raise ValueError(f"no review of version {VERSION}")
        if entry["classes"] != self.classes:
            found = f"verdicts on the classes {', '.join(map(str, entry['classes']))[:200]}"
            wanted = f"those of the run, {', '.join(self.classes)[:200]}"
            remedy = "Take the review of this run, or move the folder away."
            raise DatasetError([Finding(self.folder / FILE, found, wanted, remedy)])


def _line(content: dict) -> bytes:
    return json.dumps(content, ensure_ascii=False, sort_keys=True).encode() + b"\n"
