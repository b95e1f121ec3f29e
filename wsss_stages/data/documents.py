"""Readers of a dataset's text, lists, JSON and XML within limits; every defect raises DefectError."""

import json
import sys
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DTDForbidden
from defusedxml.ElementTree import fromstring

from wsss_stages.data.findings import DefectError

MAX_JSON = 4 << 30
"""Bytes; COCO's largest list of instances has 450 million."""
MAX_TEXT = 256 << 20
"""Bytes of a list or a table; ten million lines."""
MAX_XML = 16 << 20
"""Bytes of one image's annotation."""


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


def read_xml(path: Path, wanted: str) -> Element:
    """Return the root of an XML that is a plain tree: without DOCTYPE, where entities would be defined."""
    content = _read(path, MAX_XML)
    try:
        return fromstring(content, forbid_dtd=True)
    except DTDForbidden as error:
        raise DefectError(
            f"a DOCTYPE {error.name!r}, in which entities may be defined",
            "XML without one",
            "Remove the lines from <!DOCTYPE to its end, and write what the entities stand for.",
        ) from error
    except (ParseError, LookupError, ValueError) as error:
        raise DefectError(f"no XML ({error})", wanted, "Export it again.") from error


def number(text: object) -> float:
    """Return the number that a text holds, as people write it; may be NaN or infinite. Raises ValueError."""
    if not isinstance(text, str) or not text.isascii() or "_" in text:
        raise ValueError(f"{text!r} is no number")
    return float(text)


def is_number(value: object) -> bool:
    """Return whether a value of a JSON is a finite number, and not a number written as text."""
    return type(value) in (int, float) and abs(value) <= sys.float_info.max  # type: ignore[operator]


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
