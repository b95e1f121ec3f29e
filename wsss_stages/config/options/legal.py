"""Legal values of an option in words, and the faults of values that are none."""

import difflib
from collections.abc import Iterable
from types import UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

import annotated_types as bounds
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

WORDS = {int: "an integer", float: "a number", str: "a text", bool: "true or false"}
METAVARS = {int: "INT", float: "FLOAT", str: "TEXT", bool: "{true,false}"}


class Fault(NamedTuple):
    """A value that is not legal."""

    keys: tuple[str, ...]
    """Keys of the value; empty where the options of a section contradict each other."""
    found: Any
    text: str
    """The found and the wanted value, as text."""
    kind: str = ""
    """Pydantic's name of the error."""


def metavar(field: FieldInfo) -> str:
    """Return the text of an option's value in --help: its choices or its type."""
    choices = _choices(field.annotation)
    return f"{{{','.join(map(str, choices))}}}" if choices else METAVARS.get(field.annotation, "LIST")


def limits(field: FieldInfo) -> str:
    """Return an option's bounds, or the legal items of its list; empty where every value of its type is legal."""
    parts = [f"a list of {_items(field.annotation)}"] if get_origin(field.annotation) is list else []
    for limit in field.metadata:
        match limit:
            case bounds.Gt():
                parts.append(f"above {limit.gt}")
            case bounds.Ge():
                parts.append(f"at least {limit.ge}")
            case bounds.Lt():
                parts.append(f"below {limit.lt}")
            case bounds.Le():
                parts.append(f"at most {limit.le}")
            case bounds.MultipleOf():
                parts.append(f"a multiple of {limit.multiple_of}")
            case bounds.MinLen():
                parts.append("not empty")
    return ", ".join(parts)


def wanted(field: FieldInfo) -> str:
    """Return an option's legal values as a phrase: 'a number above 0, at most 1', 'one of cam, seam'."""
    if is_section(field.annotation):
        return f"options: {', '.join(field.annotation.model_fields)}"
    if choices := _choices(field.annotation):
        return f"one of {', '.join(map(str, choices))}"
    kind = "" if get_origin(field.annotation) is list else WORDS.get(field.annotation, "a mapping")
    return f"{kind} {limits(field)}".strip()


def is_section(annotation: Any) -> bool:
    """Return whether an option has options of its own."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def nearest(name: object, names: Iterable[str]) -> str:
    """Return the question whether one meant the name that is nearest; empty where none is near."""
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def unknown(name: object, names: Iterable[str]) -> str:
    """Return the message for an unknown name: the nearest, or else all that there are."""
    names = list(names)
    return f"found an unknown name {str(name)!r}" + (nearest(name, names) or f"; wanted one of {', '.join(names)}")


def show(value: object) -> str:
    """Return a value as a message shows it."""
    return "nothing" if value is None else repr(value)


def faults(section: type[BaseModel], error: ValidationError) -> list[Fault]:
    """Return one fault for each value that pydantic refuses, in words of the options."""
    found: dict[tuple[str, ...], Fault] = {}
    for one in error.errors():
        keys, field, known = _place(section, one["loc"])
        if one["type"] == "extra_forbidden":
            new = getattr(known, "moved", {}).get(keys[-1])
            text = f"found an option that moved; wanted {new}" if new else unknown(keys[-1], known.model_fields)
        elif one["type"] == "missing":
            text = f"found nothing; wanted {wanted(field)}"
        elif one["type"] == "value_error" and not keys:
            text = f"found {one['ctx']['error']}"
        elif one["type"] == "value_error":
            text = f"found {show(one['input'])}; wanted {one['ctx']['error']}"
        else:
            text = f"found {show(one['input'])}; wanted {wanted(field) if field else one['msg'].lower()}"
        found.setdefault(keys, Fault(keys, one["input"], text, one["type"]))
    return list(found.values())


def _place(section: type[BaseModel], loc: tuple) -> tuple[tuple[str, ...], FieldInfo | None, type[BaseModel]]:
    """Return the keys up to an option, the option, and the section that holds it; places inside lists and unions are left out."""
    keys: list[str] = []
    field = None
    for key in loc:
        keys.append(str(key))
        field = section.model_fields.get(str(key))
        if field is None or not is_section(field.annotation):
            break
        section = field.annotation
    return tuple(keys), field, section


def _choices(annotation: Any) -> list:
    """Return the choices of an option that is one of several; none for other options."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if get_origin(annotation) in (Union, UnionType):
        return list(dict.fromkeys(choice for part in get_args(annotation) for choice in _choices(part)))
    return []


def _items(annotation: Any) -> str:
    """Return the type of a list's items."""
    (item,) = get_args(annotation)
    return f"{{{','.join(map(str, _choices(item)))}}}" if _choices(item) else {int: "integers", float: "numbers"}[item]
