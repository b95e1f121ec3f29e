"""Notes of an importer: what it read differently from how it is stored or left out, how often, and where first."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

NAMED = 3
"""Names that a note keeps."""
KINDS = 200
"""Kinds of notes; further ones are counted together, so that a folder made for it cannot fill the memory."""
FURTHER = "notes of further kinds"


@dataclass
class Note:
    """The number of times that something was met, and the names of the first images or files with it."""

    count: int = 0
    names: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        if not self.names:
            return str(self.count)
        return f"{self.count} ({', '.join(self.names)}{', …' if self.count > len(self.names) else ''})"


class Notes(dict[str, Note]):
    """Notes by their text."""

    def add(self, text: str, count: int = 1, name: str = "") -> None:
        """Count something, and keep the name of an image or a file if it is among the first."""
        if not count:
            return
        if text not in self and len(self) >= KINDS:
            text = FURTHER
        note = self.setdefault(text, Note())
        note.count += count
        if name and len(note.names) < NAMED and name not in note.names:
            note.names.append(name)

    def add_all(self, counts: Mapping[str, int], name: str) -> None:
        """Add the notes of one image."""
        for text, count in counts.items():
            self.add(text, count, name)

    def add_each(self, text: str, names: Iterable[str]) -> None:
        """Count every name."""
        for name in names:
            self.add(text, 1, name)

    @property
    def counts(self) -> dict[str, int]:
        """Return how often each was met, by its text."""
        return {text: note.count for text, note in self.items()}

    def to_json(self) -> dict[str, dict]:
        """Return the notes in the order of their texts, as they stand in index.json."""
        return {text: asdict(self[text]) for text in sorted(self)}

    @classmethod
    def from_json(cls, content: Mapping[str, Mapping]) -> "Notes":
        return cls({text: Note(**note) for text, note in content.items()})


def count(notes: dict[str, int], text: str, times: int = 1) -> None:
    """Count what was met in one image; nothing is noted for 0 times."""
    if times:
        notes[text] = notes.get(text, 0) + times
