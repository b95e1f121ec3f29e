"""The arguments of docstrings, one a line, as mkdocstrings reads them; our docstrings put short ones side by side."""

import re
from typing import Any

import griffe

SEVERAL = re.compile(r"^( +)(\w[\w, ]*: .*?)  (?=\w[\w, ]*: )", re.M)
"""An indented argument, and two blanks before the next one."""


def one_a_line(docstring: str) -> str:
    """Return a docstring in which every argument has a line of its own."""
    head, section, arguments = docstring.partition("Args:\n")
    while (split := SEVERAL.sub(r"\1\2\n\1", arguments)) != arguments:
        arguments = split
    return head + section + arguments


class Arguments(griffe.Extension):
    """Applies `one_a_line` to every function."""

    def on_function_instance(self, *, func: griffe.Function, **_: Any) -> None:
        if func.docstring:
            func.docstring.value = one_a_line(func.docstring.value)
