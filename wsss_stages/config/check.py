"""The check of a whole configuration: one line for each fault, with its file."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from wsss_stages.config.options import KINDS, SECTIONS, Run, legal, merge
from wsss_stages.config.options.legal import Fault
from wsss_stages.config.options.run import LETTERS
from wsss_stages.data.names import NAME

COMMAND_LINE = "--config"
TEXT = "string_type"
"""Kind of a fault where a text is wanted."""
LOADERS = (yaml.SafeLoader, yaml.BaseLoader)
"""The loader that reads numbers as numbers, and the one that leaves every scalar as text."""


class ConfigError(ValueError):
    """A configuration with faults."""


def check(config: dict[str, Any], files: list[Path]) -> None:
    """Raise ConfigError with all faults of a configuration; a text that YAML takes for a number becomes the text again.

    Args:
        files: files of the configuration; a later one counts more. Keys that are in none of them come from
        the command line.
    """
    for name in [name for name in SECTIONS if name in config and config[name] is None]:
        del config[name]  # a section whose lines are all comments keeps its defaults
    for fault in list(_faults(config)):
        _restore(config, fault, files)
    if lines := [_line(fault, files) for fault in _faults(config)]:
        raise ConfigError("\n".join(lines))


def section(name: str, values: dict[str, Any], where: str = "") -> BaseModel:
    """Return a section's options. Raises ConfigError with all faults of their values."""
    try:
        return SECTIONS[name].model_validate(values)
    except ValidationError as error:
        faults = legal.faults(SECTIONS[name], error)
        raise ConfigError("\n".join(f"{where}{'.'.join((name, *f.keys))}: {f.text}" for f in faults)) from None


def _faults(config: dict[str, Any]) -> Iterator[Fault]:
    """Yield all faults, with their keys from the top."""
    run = {key: value for key, value in config.items() if key in Run.model_fields}
    yield from _of(Run, run, ())
    yield from _of_sections({key: value for key, value in config.items() if key not in run}, (), Run.model_fields)
    if isinstance(variants := config.get("variants"), dict):
        for name, overrides in variants.items():
            yield from _of_variant(name, overrides)


def _of_variant(name: object, overrides: object) -> Iterator[Fault]:
    """Yield the faults of a variant."""
    at = ("variants", str(name))
    if not isinstance(name, str) or not re.fullmatch(NAME, name):
        yield Fault(at, overrides, f"found the name {name!r}; wanted {LETTERS} (a number in quotation marks)")
    if not isinstance(overrides, dict):
        yield _no_mapping(at, overrides, "overrides, {} for none")
        return
    if not isinstance(base := overrides.get("base", ""), str):
        yield Fault((*at, "base"), base, f"found {legal.show(base)}; wanted a text, the name of a variant", TEXT)
    kinds = {key: value for key, value in overrides.items() if key in KINDS}
    for kind, sections in kinds.items():
        yield from _of_sections(sections, (*at, kind))
    rest = {key: value for key, value in overrides.items() if key not in kinds and key != "base"}
    yield from _of_sections(rest, at, ["base", *KINDS])


def _of_sections(content: object, at: tuple[str, ...], others: Iterable[str] = ()) -> Iterator[Fault]:
    """Yield the faults of a mapping of sections. Options that contradict each other are left to `section`, which knows the base.

    Args:
        others: other keys that may stand beside the sections.
    """
    if not isinstance(content, dict):
        yield _no_mapping(at, content, f"sections: {', '.join(SECTIONS)}")
        return
    for name, values in content.items():
        here = (*at, str(name))
        if name not in SECTIONS:
            yield Fault(here, values, legal.unknown(name, [*SECTIONS, *others]))
        elif not isinstance(values, dict):
            yield _no_mapping(here, values, f"options: {', '.join(SECTIONS[name].model_fields)}")
        else:
            found = _of(SECTIONS[name], merge(SECTIONS[name], values), here)
            yield from (fault for fault in found if fault.keys != here)


def _of(section: type[BaseModel], values: dict, at: tuple[str, ...]) -> Iterator[Fault]:
    """Yield the faults of values of options."""
    try:
        section.model_validate({str(key): value for key, value in values.items()})
    except ValidationError as error:
        yield from (fault._replace(keys=(*at, *fault.keys)) for fault in legal.faults(section, error))


def _no_mapping(keys: tuple[str, ...], found: object, of: str) -> Fault:
    return Fault(keys, found, f"found {legal.show(found)}; wanted a mapping of {of}")


def _line(fault: Fault, files: list[Path]) -> str:
    """Return a fault with its file and key; for a number on the command line in place of a text, the correct form."""
    where = files[0] if fault.kind == "missing" and files else _origin(fault, files)
    if where and where.is_relative_to(Path.cwd()):
        where = where.relative_to(Path.cwd())
    line = f"{where or COMMAND_LINE}: {'.'.join(fault.keys)}: {fault.text}"
    if where is None and fault.kind == TEXT and fault.found is not None:
        key = fault.keys[-1]
        line += f"; a name that looks like a number is written {key}='\"NAME\"', a folder {key}=./NAME"
    return line


def _origin(fault: Fault, files: list[Path]) -> Path | None:
    """Return the last file that holds a faulty value; None where the value is of the command line."""
    for file in reversed(files):
        text = file.read_text()
        for value in (_at(yaml.load(text, loader), fault.keys) for loader in LOADERS):
            if value == fault.found or (isinstance(value, list) and fault.found in value):
                return file
    return None


def _at(content: Any, keys: Iterable[str]) -> Any:
    """Return the value of a YAML document under keys, or an object that equals no other."""
    for key in keys:
        named = {str(name): value for name, value in content.items()} if isinstance(content, dict) else {}
        if key not in named:
            return object()
        content = named[key]
    return content


def _restore(config: dict[str, Any], fault: Fault, files: list[Path]) -> None:
    """Replace the value that YAML reads by the text itself: a number, a truth value, a date.

    Inside of `--config section={...}` Snakemake leaves numbers as texts, which become numbers.
    """
    *parents, last = fault.keys
    inner: Any = config
    for parent in parents:
        inner = inner.get(parent, {}) if isinstance(inner, dict) else {}
    if last not in inner:
        return
    if fault.kind == TEXT and fault.found is not None and (file := _origin(fault, files)):
        inner[last] = _at(yaml.load(file.read_text(), yaml.BaseLoader), fault.keys)
    elif fault.kind != TEXT and isinstance(inner[last], str | list):
        with suppress(yaml.YAMLError):
            inner[last] = _typed(inner[last])


def _typed(value: Any) -> Any:
    """Return the YAML value of a text, or of each text of a list."""
    if isinstance(value, list):
        return [_typed(item) for item in value]
    return yaml.safe_load(value) if isinstance(value, str) else value
