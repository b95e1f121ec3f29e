"""PASCAL Context's published annotation, trainval/ID.mat of trainval.tar.gz, to its 59 classes by the names of labels.txt.

A file has LabelMap, (h, w) numbers of the 459 classes that labels.txt names, `NUMBER: NAME` a line. Blanks in names do not count. 59_labels.txt has three of
the names otherwise (FCN's data layer lists them); its order, VOC's classes first, is not used: ours is that of the letters, as in later papers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from wsss_stages.data.documents import read_lines
from wsss_stages.data.findings import DatasetError, DefectError, Finding
from wsss_stages.data.importers.masks import SHOWN, Masks
from wsss_stages.data.importers.mat_files import REMEDY, read_map
from wsss_stages.data.importers.mat_masks import MatMasks

PAGE = "https://cs.stanford.edu/~roozbeh/pascal-context/"
OTHERWISE = {"diningtable": "table", "bedcloth": "bedclothes", "clothes": "cloth"}
"""Names of 59_labels.txt that labels.txt has otherwise."""
BY_NUMBER = "masks of 459 classes, the 59 taken by their names"


@dataclass
class ContextMasks(MatMasks):
    """Masks of PNGs, and of the published files where there are none."""

    table: np.ndarray = field(kw_only=True)
    """(460,) uint8: class 0..59 of every number."""

    def decoded(self, path: Path) -> tuple[np.ndarray, str]:
        numbers = read_map(path, "LabelMap")
        if numbers.max(initial=0) >= len(self.table):
            strange = np.unique(numbers[numbers >= len(self.table)]).tolist()
            raise DefectError(f"numbers {strange[:SHOWN]}", f"0..{len(self.table) - 1} as labels.txt has them", REMEDY)
        return self.table[numbers], BY_NUMBER


@dataclass(frozen=True)
class ContextMats:
    """The folder of the published files, and the class of every number."""

    mats: Path
    table: np.ndarray

    def masks(self, classes: Masks, objects: Masks) -> tuple[Masks, Masks]:
        """Return masks of classes that read the published files, too; objects are not published."""
        made = ContextMasks(
            classes.folder, classes.root, classes.classes, classes.colours, mats=self.mats, table=self.table
        )
        return made, objects

    def lists(self, folder: Path, findings: list[Finding]) -> dict[str, list[str]]:
        """Return no list: VOC 2010 has them."""
        return {}


def find_mats(places: Sequence[Path], classes: Sequence[str]) -> ContextMats | None:
    """Return the published files below the first place that has them; None without.

    Raises: DatasetError where labels.txt is not beside them, or lacks one of the classes.
    """
    home = next((place for place in places if any((place / "trainval").glob("*.mat"))), None)
    if home is None:
        return None
    path = next(
        (p for p in (home / "labels.txt", home / "trainval" / "labels.txt") if p.is_file()), home / "labels.txt"
    )
    try:
        numbers = _numbers(read_lines(path))
    except DefectError as error:
        raise DatasetError([error.in_file(path)]) from error
    lacking = [name for name in classes[1:] if name not in numbers]
    if lacking:
        found, wanted = f"no number of {', '.join(lacking[:SHOWN])}", "all 59 classes among the 459"
        raise DatasetError([Finding(path, found, wanted, f"Take labels.txt from {PAGE}, not 59_labels.txt.")])
    table = np.zeros(max(numbers.values()) + 1, np.uint8)
    for cls, name in enumerate(classes[1:], 1):
        table[numbers[name]] = cls
    return ContextMats(home / "trainval", table)


def _numbers(lines: list[str]) -> dict[str, int]:
    """Return the number of every name. Raises DefectError for a line of another form."""
    numbers = {}
    for line in lines:
        number, colon, name = line.partition(":")
        if not (colon and number.strip().isascii() and number.strip().isdigit() and 0 < int(number) < 10_000):
            raise DefectError(f"the line {line[:80]!r}", "NUMBER: NAME", f"Take labels.txt from {PAGE}.")
        plain = name.replace(" ", "")
        numbers[OTHERWISE.get(plain, plain)] = int(number)
    return numbers
