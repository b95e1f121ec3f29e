"""Classes of a folder: classes.txt, one name a line, background first; each may be followed by its colour in the masks.

background #000000
cat #ff8000              or: cat 255 128 0
"""

import re
from pathlib import Path

from wsss_stages import UNKNOWN
from wsss_stages.data.documents import read_lines
from wsss_stages.data.findings import DefectError, Finding
from wsss_stages.data.names import class_problem, has_file

Colour = tuple[int, int, int]
"""Red, green and blue, 0..255."""
COLOURED = re.compile(r"(?P<name>.*\S)[\s,;:]+(?:#(?P<hex>[0-9a-fA-F]{6})|(?P<rgb>\d{1,3}([\s,;]+)\d{1,3}\4\d{1,3}))")
BLACK = (0, 0, 0)


def read_classes(
    root: Path, default: tuple[str, ...], findings: list[Finding]
) -> tuple[list[str], dict[Colour, int] | None]:
    """Return the names of the classes and, where classes.txt has them, their numbers by colour.

    Args:
        default: the names where there is no classes.txt.
    """
    path = root / "classes.txt"
    try:
        if not has_file(path, root):
            return list(default), None
        lines = read_lines(path)
    except DefectError as error:
        findings.append(error.in_file(path))
        return list(default), None
    names, colours = zip(*map(_parted, lines), strict=True) if lines else ((), ())
    _check_names(path, list(names), findings)
    return list(names), _table(path, names, colours, findings)


def _parted(line: str) -> tuple[str, Colour | None]:
    """Return a line's name and its colour, if any."""
    match = COLOURED.fullmatch(line)
    if match is None:
        return line, None
    if match["hex"]:
        numbers = list(bytes.fromhex(match["hex"]))
    else:
        numbers = [int(text) for text in re.findall(r"\d+", match["rgb"])]
    if max(numbers) > 255:
        return line, None
    return match["name"].rstrip(",;:"), (numbers[0], numbers[1], numbers[2])


def _check_names(path: Path, names: list[str], findings: list[Finding]) -> None:
    for name in names:
        if problem := class_problem(name):
            wanted = "names of letters, digits, marks and blanks"
            findings.append(Finding(path, f"class {name[:40]!a} with {problem}", wanted, "Rename it."))
    if not names or names[0] != "background":
        wanted, remedy = "background first", "Put 'background' on its first line."
        findings.append(Finding(path, f"first line {names[:1]}", wanted, remedy))
    if len(set(names)) != len(names) or len(names) > UNKNOWN:
        what, wanted = f"{len(names)} names, repeated or too many", f"at most {UNKNOWN} different names"
        findings.append(Finding(path, what, wanted, "Remove the repeated ones."))


def _table(path: Path, names, colours, findings: list[Finding]) -> dict[Colour, int] | None:
    """Return the number of every colour; background is black where it has none."""
    if not any(colours):
        return None
    given = [colours[0] or BLACK, *colours[1:]]
    lacking = [name for name, colour in zip(names, given, strict=True) if colour is None]
    if lacking or len(set(given)) < len(given):
        what = f"no colour of {', '.join(lacking[:3])}" if lacking else "one colour for two classes"
        findings.append(
            Finding(path, what, "a colour of its own for every class, or none at all", "Correct the colours.")
        )
        return None
    return {colour: number for number, colour in enumerate(given)}
