"""Readers of a dataset's text, lists, JSON and XML within limits; every defect raises DefectError."""

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from wsss_stages.data.findings import DefectError

MAX_JSON = 4 << 30
"""Bytes; COCO's largest list of instances has 450 million."""
MAX_TEXT = 256 << 20
"""Bytes of a list or a table; ten million lines."""
MAX_XML = 16 << 20
"""Bytes of one image's annotation."""
MAX_DEPTH = 50
"""Elements within one another; annotations have four."""


def read_text(path: Path) -> str:
    """Return a file's UTF-8 text, without a byte order mark."""
    return _decoded(_read(path, MAX_TEXT))


def read_lines(path: Path) -> list[str]:
    """Return the lines that are not blank, stripped. Only a line feed ends a line, not the rarer separators of Unicode."""
    return [line for text in read_text(path).split("\n") if (line := text.strip(" \t\r"))]


def read_json(path: Path) -> object:
    """Read a JSON file; NaN and infinities pass, and `is_number` refuses them where they are used."""
    text = _decoded(_read(path, MAX_JSON))
    try:
        return json.loads(text)
    except RecursionError as error:
        raise DefectError("JSON nested too deeply", "a few levels", "Export it again.") from error
    except ValueError as error:
        raise DefectError(f"no JSON ({error})", "JSON", "Export it again.") from error


def read_xml(path: Path, wanted: str) -> ElementTree.Element:
    """Return the root of an XML that is a plain tree: without DOCTYPE, where entities would be defined."""
    parser = ElementTree.XMLParser(target=_Tree())
    try:
        parser.feed(_read(path, MAX_XML))
        return parser.close()
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        if isinstance(error, DefectError):
            raise
        raise DefectError(f"no XML ({error})", wanted, "Export it again.") from error


def number(text: object) -> float:
    """Return the number that a text holds, as people write it; may be NaN or infinite. Raises ValueError."""
    if not isinstance(text, str) or not text.isascii() or "_" in text:
        raise ValueError(f"{text!r} is no number")
    return float(text)


def is_number(value: object) -> bool:
    """Return whether a value of a JSON is a finite number, and not a number written as text."""
    return type(value) in (int, float) and abs(value) <= sys.float_info.max  # type: ignore[operator]


class _Tree(ElementTree.TreeBuilder):
    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise DefectError(
            f"a DOCTYPE {name!r}, in which entities may be defined",
            "XML without one",
            "Remove the lines from <!DOCTYPE to its end, and write what the entities stand for.",
        )

    def start(self, tag: str, attributes: dict[str, str]) -> ElementTree.Element:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise DefectError("XML nested too deeply", f"at most {MAX_DEPTH} levels", "Export it again.")
        return super().start(tag, attributes)

    def end(self, tag: str) -> ElementTree.Element:
        self._depth -= 1
        return super().end(tag)


def _read(path: Path, most: int) -> bytes:
    try:
        size = path.stat().st_size
        if size > most:
            raise DefectError(f"a file of {size} bytes", f"at most {most}", "Export it again, or in parts.")
        return path.read_bytes()
    except OSError as error:
        raise DefectError(f"a file that cannot be read ({error.strerror})", "a file", "Set its permissions.") from error


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DefectError(f"no UTF-8 ({error})", "text in UTF-8", "Save it as UTF-8.") from error
