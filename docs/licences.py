"""The page of licences, which `python docs/licences.py` writes from envs/lock.txt and what the installed packages say of themselves.

It runs in an environment that was made by the lock file. A package that is missing or has another version there is an error.
"""

import re
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licences.md"
LONGEST = 60
"""Characters of a licence's name; what is longer is a licence's whole text."""
WORDS = {
    "MIT": "Permission is hereby granted, free of charge, to any person",
    "BSD-3-Clause": "Redistribution and use in source and binary forms",
    "Apache-2.0": "Licensed under the Apache License, Version 2.0",
}
"""Words that only the text of a licence has."""
HEAD = """# Licences

wsss-stages has the MIT licence. `pip install` brings the packages below with it, each under its own licence: the versions of `envs/lock.txt`, written by `python docs/licences.py` from what
the packages say of themselves. On Linux torch brings NVIDIA's CUDA libraries (`nvidia-*` and `cuda-toolkit`, proprietary), with or without a GPU: read their terms before you pass on an image
with them. Wheels hold libraries of others, as OpenCV's holds FFmpeg (LGPL): their own `LICENSE` files name those. Extras other than `weights` are not in the list.

| package | version | licence |
| --- | --- | --- |
"""


def pins(text: str) -> dict[str, str]:
    """Return the versions by name of a file of pins."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return dict(line.split("==") for line in lines if line)


def licence(package: metadata.Distribution) -> str:
    """Return a package's licence: its SPDX expression, else its short name, its classifiers, or what its file of the licence is by its words.

    https://packaging.python.org/en/latest/specifications/core-metadata/ describes the fields.
    """
    fields = package.metadata
    named = (fields.get("License-Expression") or fields.get("License") or "").strip()
    classifiers = [text.split(" :: ")[-1] for text in fields.get_all("Classifier") or [] if text.startswith("License")]
    short = named if len(named) <= LONGEST and "\n" not in named and named != "UNKNOWN" else ""
    return (short or ", ".join(classifiers) or _by_text(package) or "not said").replace("|", r"\|")


def _by_text(package: metadata.Distribution) -> str:
    """Return the licence whose words stand in the package's own LICENSE; empty without one."""
    own = [file for file in package.files or [] if re.search(r"\.dist-info/(licenses/)?LICENSE(\.\w+)?$", str(file))]
    text = " ".join(" ".join(file.read_text() for file in own).split())
    return next((name for name, words in WORDS.items() if words in text), "")


def page(wanted: dict[str, str]) -> str:
    """Return the page for these versions. Raises ValueError where another version is installed, and PackageNotFoundError."""
    return HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows(wanted))


def rows(wanted: dict[str, str]) -> Iterable[tuple[str, str, str]]:
    """Yield name, version and licence of every package, sorted by name."""
    for name in sorted(wanted, key=lambda name: re.sub(r"[-_.]+", "-", name).lower()):
        package = metadata.distribution(name)
        if package.version != wanted[name]:
            raise ValueError(f"{name}: found version {package.version}; wanted {wanted[name]}, as envs/lock.txt has it")
        yield name, wanted[name], licence(package)


if __name__ == "__main__":
    PAGE.write_text(page(pins((ROOT / "envs" / "lock.txt").read_text())))
    sys.stdout.write(f"{PAGE}\n")
