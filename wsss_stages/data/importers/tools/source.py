"""The files of an export: of a folder, of a zip, or of a folder that holds photographs and the zip."""

import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path, PurePosixPath

from wsss_stages.data.changes import OF_A_RUN
from wsss_stages.data.documents import MAX_TEXT
from wsss_stages.data.findings import DefectError, Finding
from wsss_stages.data.images import SUFFIXES
from wsss_stages.data.importers.photographs import hidden
from wsss_stages.data.importers.tools import archive
from wsss_stages.data.names import has_file

LABELS = (".json", ".xml", ".txt", ".yaml", ".yml", ".names")
"""Suffixes of files with labels; a folder that has one is not searched for a zip."""
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)


class Source:
    """All files below a folder or in a zip, by their paths with slashes."""

    def __init__(self, root: Path, findings: list[Finding], skipped: Path | None = None):
        """
        Args:
            skipped: a folder below that does not belong to the export.
        """
        self.root, self.zipped = root, root.is_file()
        self._members: dict[str, tuple[Path, zipfile.ZipFile, zipfile.ZipInfo]] = {}
        self._files: set[str] = set() if self.zipped else set(_walk(root, skipped))
        zips = [root] if self.zipped else [root / name for name in sorted(self._files) if name.lower().endswith(".zip")]
        if self.zipped or not any(suffix_of(name) in LABELS for name in self._files):
            for path in zips:
                opened, members = archive.opened(path, findings)
                if opened:
                    self._members |= {name: (path, opened, info) for name, info in members.items()}
        self.names = sorted(self._files.union(self._members))

    def having(self, *suffixes: str) -> list[str]:
        """Return the files with one of the suffixes, in small letters."""
        return [name for name in self.names if suffix_of(name) in suffixes]

    @property
    def photographs(self) -> list[str]:
        """Return the files that may be photographs."""
        return [name for name in self.names if suffix_of(name) in SUFFIXES]

    def path(self, name: str) -> Path:
        """Return where a file lies, for messages and, of one on disk, for reading."""
        return self.root / name if self.on_disk(name) else self._members[name][0] / name

    def on_disk(self, name: str) -> bool:
        """Return whether a file lies in the folder itself."""
        return name in self._files

    @contextmanager
    def open(self, name: str) -> Iterator[BufferedIOBase]:
        """Open a file. Raises DefectError, also where the block finds it damaged."""
        try:
            with self._open(name) as file:
                yield file
        except DAMAGED as error:
            raise DefectError(f"a damaged member ({error})", "a whole archive", archive.REMEDY) from error
        except OSError as error:
            raise DefectError(
                f"a file that cannot be read ({error.strerror or error})", "a file", "Set its permissions."
            ) from error

    def read(self, name: str, most: int = MAX_TEXT) -> bytes:
        """Return a file's bytes. Raises DefectError if there are more."""
        with self.open(name) as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise DefectError(f"a file of more than {most} bytes", f"at most {most}", "Export it again, or in parts.")
        return content

    def text(self, name: str) -> str:
        """Return a file's UTF-8 text, without a byte order mark. Raises DefectError."""
        try:
            return self.read(name).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise DefectError(f"no UTF-8 ({error})", "text in UTF-8", "Save it as UTF-8.") from error

    @contextmanager
    def photograph(self, name: str) -> Iterator[Path]:
        """Yield a photograph's path; one of a zip lies there in a temporary file. Raises DefectError."""
        if self.on_disk(name):
            has_file(self.root / name, self.root)
            yield self.root / name
            return
        with tempfile.NamedTemporaryFile(suffix=suffix_of(name)) as copy:
            self.copy(name, Path(copy.name))
            yield Path(copy.name)

    def copy(self, name: str, target: Path) -> None:
        """Write a file of a zip to a path on disk. Raises DefectError."""
        with self.open(name) as file, open(target, "wb") as out:
            while block := file.read(1 << 20):
                out.write(block)

    def _open(self, name: str) -> BufferedIOBase:
        if self.on_disk(name):
            has_file(self.root / name, self.root)
            return open(self.root / name, "rb")
        _, opened, info = self._members[name]
        return archive.read(opened, info)


def suffix_of(name: str) -> str:
    """Return a path's suffix in small letters."""
    return PurePosixPath(name).suffix.lower()


def _walk(root: Path, skipped: Path | None) -> Iterable[str]:
    """Yield the files below a folder; links to folders are followed once."""
    seen = {os.path.realpath(skipped)} if skipped else set()
    own = OF_A_RUN if os.path.realpath(root) == os.path.realpath(".") else frozenset()
    for folder, folders, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        at_home = Path(folder) == root
        folders[:] = sorted(name for name in folders if not hidden(name) and not (at_home and name in own))
        yield from (
            Path(folder, name).relative_to(root).as_posix()
            for name in names
            if not hidden(name) and not (at_home and name in own)
        )
