"""A JSON file of any length, read an element at a time."""

import codecs
import json
from collections.abc import Collection, Iterator
from io import BufferedIOBase

from wsss_stages.data.findings import DefectError

CHUNK = 1 << 16
"""Bytes that are read at once, at first."""
LONGEST = 1 << 28
"""Characters of one element; a photograph inside one has a tenth."""
BLANKS = " \t\r\n"


def entries(file: BufferedIOBase, streamed: Collection[str] = ()) -> Iterator[tuple[str, object]]:
    """Yield name and value of every member of a JSON's object; of the lists named in `streamed` every element for itself.

    A list yields all its elements with an empty name. Raises DefectError for what is neither, or no JSON.
    """
    try:
        yield from _Stream(file).entries(streamed)
    except RecursionError as error:
        raise DefectError("JSON nested too deeply", "a few levels", "Export it again.") from error
    except UnicodeDecodeError as error:
        raise DefectError(f"no UTF-8 ({error})", "text in UTF-8", "Save it as UTF-8.") from error
    except ValueError as error:
        if isinstance(error, DefectError):
            raise
        raise DefectError(f"no JSON ({error})", "JSON", "Export it again.") from error


class _Stream:
    def __init__(self, file: BufferedIOBase):
        self._text = codecs.getreader("utf-8-sig")(file)
        self._buffer, self._at = "", 0
        self._decode = json.JSONDecoder().raw_decode

    def entries(self, streamed: Collection[str]) -> Iterator[tuple[str, object]]:
        opening = self._peek()
        if opening not in ("[", "{"):
            raise DefectError(f"JSON that begins with {opening!r}", "a list or an object", "Export it again.")
        if opening == "[":
            for value in self._elements():
                yield "", value
        else:
            yield from self._members(streamed)
        if self._peek():
            raise ValueError("text after its end")

    def _members(self, streamed: Collection[str]) -> Iterator[tuple[str, object]]:
        self._at += 1
        if self._peek() == "}":
            self._at += 1
            return
        while True:
            name = self._value()
            if not isinstance(name, str) or self._peek() != ":":
                raise ValueError("a member without a name")
            self._at += 1
            if name in streamed and self._peek() == "[":
                for value in self._elements():
                    yield name, value
            else:
                yield name, self._value()
            if self._next("}"):
                return

    def _elements(self) -> Iterator[object]:
        self._peek()
        self._at += 1
        if self._peek() == "]":
            self._at += 1
            return
        while True:
            yield self._value()
            if self._next("]"):
                return

    def _next(self, closing: str) -> bool:
        """Pass over a comma or the closing bracket; return whether it was the bracket."""
        sign = self._peek()
        if sign not in (",", closing):
            raise ValueError(f"{sign!r} where a comma or {closing} was expected" if sign else "the file ends too early")
        self._at += 1
        return sign == closing

    def _value(self) -> object:
        self._peek()
        while True:
            try:
                value, end = self._decode(self._buffer, self._at)
            except json.JSONDecodeError:
                if not self._more():
                    raise
                continue
            if end < len(self._buffer) or not self._more():  # a number may go on
                self._at = end
                return value

    def _peek(self) -> str:
        """Return the next sign that is no blank; empty at the end."""
        while True:
            while self._at < len(self._buffer) and self._buffer[self._at] in BLANKS:
                self._at += 1
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Read on: as much again as there is, so that a long element is looked at a few times only."""
        rest = self._buffer[self._at :]
        if len(rest) > LONGEST:
            raise DefectError(f"one element of {len(rest)} characters", f"at most {LONGEST}", "Export it again.")
        chunk = self._text.read(max(CHUNK, len(rest)))
        self._buffer, self._at = rest + chunk, 0
        return bool(chunk)
