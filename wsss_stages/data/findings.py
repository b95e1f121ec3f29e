"""What is wrong with a dataset: all of it at once, each with file, found, wanted and remedy."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Finding:
    """One defect of a dataset."""

    file: Path
    found: str
    wanted: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}: found {self.found}; wanted {self.wanted}. {self.remedy}"


class DatasetError(ValueError):
    """A dataset with findings; its text lists them all."""

    def __init__(self, findings: list[Finding]):
        self.findings = findings
        lines = "\n".join(f"  {number}. {finding}" for number, finding in enumerate(findings, 1))
        super().__init__(f"{len(findings)} finding(s) in the dataset; nothing was written\n{lines}")
