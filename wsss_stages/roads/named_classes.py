"""The names of a network's classes: recorded in its weights, and given by hand for weights without them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from wsss_stages.data.index import Index
from wsss_stages.data.names import class_problem
from wsss_stages.data.record import Record
from wsss_stages.store.artifacts import ContractError

REMEDY = (
    "Give an index.json of the run, a text file with a name a line, or names with commas between them, with --classes."
)


def about_classes(names: list[str], records: Iterable[Record]) -> dict[str, Any]:
    """Return what weights record of their classes, background first, and the longest side of the images that they learned from."""
    longest = max((max(record.height, record.width) for record in records), default=0)
    return {"class_names": list(names), "longest_side": longest}


def class_names(weights: Path, metadata: dict[str, Any], given: str = "") -> list[str]:
    """Return the names of a network's classes, background first.

    Args:
        metadata: of the weights.  given: the value of --classes; empty: the names in the weights.

    Raises: ContractError where there are no names, or those of other classes than the network's.
    """
    recorded, count = metadata.get("class_names"), metadata["classes"]
    if not given:
        if recorded is None:
            raise ContractError(
                f"{weights}: found {count} classes without names, as earlier versions wrote them; wanted names. {REMEDY}"
            )
        return recorded
    names = _given(given)
    if len(names) == count - 1 and names[0] != "background":
        names = ["background", *names]
    if len(names) != count:
        raise ContractError(
            f"{weights}: found a network of {count} classes with background, and {len(names)} names in --classes ({_few(names)}); "
            f"wanted as many. {_of(recorded)}Give the names that it was trained with, or weights of these classes."
        )
    if recorded is not None and names != recorded:
        raise ContractError(
            f"{weights}: found the classes {_few(recorded)}; wanted those of --classes, {_few(names)}. Leave --classes out, or give "
            "weights of these classes with --weights."
        )
    return names


def _given(text: str) -> list[str]:
    path = Path(text)
    if path.suffix == ".json":
        return Index.read(path).classes
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else text.split(",")
    names = [line.strip() for line in lines if line.strip()]
    for name in names:
        if problem := class_problem(name):
            raise ValueError(f"--classes {text}: found a class with {problem}; wanted names. {REMEDY}")
    if not names or len(set(names)) < len(names):
        raise ValueError(
            f"--classes {text}: found {len(names)} names, not all different; wanted different ones. {REMEDY}"
        )
    return names


def _of(recorded: list[str] | None) -> str:
    return f"The weights name {_few(recorded)}. " if recorded else ""


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
