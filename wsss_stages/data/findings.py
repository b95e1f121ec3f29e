"""Defects of a dataset, all reported together, each with file, found, wanted and remedy."""

from dataclasses import dataclass
from pathlib import Path

LONGEST = 1000
"""Most characters of a found or wanted value in a message."""


@dataclass(frozen=True)
class Finding:
    """One defect of a dataset."""

    file: Path
    found: str
    wanted: str
    remedy: str

    def __str__(self) -> str:
        return f"{shown(str(self.file))}: found {shown(self.found)}; wanted {shown(self.wanted)}. {self.remedy}"


class DefectError(ValueError):
    """A file, or a part of it, that cannot be used; the reader of the file makes a finding of it."""

    def __init__(self, found: str, wanted: str, remedy: str):
        super().__init__(f"found {found}; wanted {wanted}. {remedy}")
        self.found, self.wanted, self.remedy = found, wanted, remedy

    def in_file(self, file: Path) -> Finding:
        return Finding(file, self.found, self.wanted, self.remedy)


class DatasetError(ValueError):
    """A dataset with findings; its text lists them all."""

    def __init__(self, findings: list[Finding]):
        self.findings = findings
        lines = "\n".join(f"  {number}. {finding}" for number, finding in enumerate(findings, 1))
        super().__init__(f"{len(findings)} finding(s) in the dataset; nothing was written\n{lines}")


def shown(text: str) -> str:
    """Return a text of a file as it may stand on a terminal: in one line, without control characters, cut where it is endless."""
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut)
