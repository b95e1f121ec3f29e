"""Checks of messages by what they must name: files, options, classes and numbers, whatever the English around them."""

import contextlib
import re
from collections.abc import Iterable, Iterator

import pytest


def lacking(text: str, *words: str) -> list[str]:
    """Return those of the words that the text does not have.

    A word is taken as it is written, wherever a word of the text begins with it: `class` is in `classes`, but not in
    `subclass`. A number is whole: 1 is not in 12, 0.1, 1.png or pytest-1. `a ... b` is there if b comes after a.
    """
    return [word for word in words if not re.search(".*?".join(map(_pattern, word.split(" ... "))), text, re.DOTALL)]


def only(texts: Iterable[str], *words: str) -> str:
    """Return the one text that has all of the words."""
    texts = list(texts)
    found = [text for text in texts if not lacking(text, *words)]
    assert len(found) == 1, f"{len(found)} of {texts} have {words}"
    return found[0]


@contextlib.contextmanager
def raises(kind: type[BaseException], word: str, *words: str) -> Iterator[pytest.ExceptionInfo]:
    """Check that the block raises an error of this kind whose text, or a note beside it, has all of the words."""
    __tracebackhide__ = True
    with pytest.raises(kind) as caught:
        yield caught
    text = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    missing = lacking(text, word, *words)
    assert not missing, f"no {missing} in {text!r}"


def _pattern(word: str) -> str:
    number = re.fullmatch(r"\d+(\.\d+)?", word)
    begin = r"(?<![\w./-])" if number else r"(?<!\w)" if word[0].isalnum() else ""
    return begin + re.escape(word) + (r"(?!\.?\w)" if word[-1].isdigit() else "")
