"""Command lines of the stages: paths by hand, knobs from options; errors in one paragraph, not a traceback."""

import argparse
import gc
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from wsss_stages.config.options import Section, legal, merge
from wsss_stages.config.options.run import DEVICES
from wsss_stages.store import provenance, stopping, tidying

MARKS = "?+*>"
"""Marks that may follow the name of a path flag."""
Texts = dict[str, tuple[str, str]]
"""Name of a flag to its default and its help."""
DEVICE: Texts = {"device": ("auto", DEVICES)}
BACKBONE_WEIGHTS: Texts = {
    "backbone-weights": ("none", "local .pth or .safetensors, a folder of timm's, 'package', 'hub' or 'none'")
}
BACKBONE: Texts = {"backbone": ("mobilenet_v2", "name of the backbone, see s1_classifier")} | BACKBONE_WEIGHTS
TRAIN: Texts = {"split": ("train", "split of the index")}
VAL: Texts = {"split": ("val", "split of the index")}


def parse(
    doc: str | None,
    section: type[Section],
    argv: list[str] | None,
    paths: dict[str, str],
    texts: Texts | None = None,
    switches: dict[str, str] | None = None,
) -> tuple[SimpleNamespace, Any]:
    """Return the paths and validated options of a command line.

    Args:
        doc: the stage's docstring, shown by --help.
        paths: name of every path flag to its help; after a name '?' makes it optional, '+' lets it take several, '*' several groups of several, '>' says that
            the stage writes it.
        texts: every other flag; those that stages share stand above.
        switches: name of every flag without a value to its help.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, text in paths.items():
        key = name.rstrip(MARKS)
        many: dict[str, Any] = {"nargs": "+"} if {"+", "*"} & set(name) else {}
        if "*" in name:
            many["action"] = "append"
        parser.add_argument(f"--{key}", type=Path, required="?" not in name, metavar="PATH", help=text, **many)
    for name, (default, text) in (texts or {}).items():
        parser.add_argument(f"--{name}", default=default, help=f"{text} (default {default})")
    for name, text in (switches or {}).items():
        parser.add_argument(f"--{name}", action="store_true", help=text)
    knobs = parser.add_argument_group(f"options ({section.__doc__})")
    leaves = dict(_leaves(section))
    for flag, (field, default) in leaves.items():
        facts = "; ".join(filter(None, (legal.limits(field), f"default {_shown(default)}")))
        text = f"{field.description} ({facts})".replace("%", "%%")
        knobs.add_argument(f"--{flag}", metavar=legal.metavar(field), help=text)
    found = vars(parser.parse_args(argv))
    values: dict[str, Any] = {}
    for flag, (field, _) in leaves.items():
        text = found[flag.replace("-", "_")]
        if text is not None:
            value = yaml.safe_load(text)
            named = field.annotation is str and not isinstance(value, str)  # a name that YAML takes for a number
            _set(values, flag.replace("-", "_").split("."), text if named else value)
    try:
        options = section(**merge(section, values))
    except ValidationError as error:
        lines = [
            f"--{'.'.join(fault.keys).replace('_', '-')}: {fault.text}" if fault.keys else fault.text
            for fault in legal.faults(section, error)
        ]
        parser.error("\n".join((*lines, "See --help for what each option means.")))
    names = [name.rstrip(MARKS).replace("-", "_") for name in (*paths, *(texts or {}), *(switches or {}))]
    _record(found, paths, texts or {}, options)
    return SimpleNamespace(**{name: found[name] for name in names}), options


def flags(options: dict[str, Any], prefix: str = "") -> str:
    """Return a config section as flags, so that a log shows a command that anyone can paste."""
    import shlex

    parts = []
    for key, value in options.items():
        name = f"{prefix}{key.replace('_', '-')}"
        parts.append(
            flags(value, f"{name}.") if isinstance(value, dict) else f"--{name} {shlex.quote(json.dumps(value))}"
        )
    return " ".join(parts)


def run(main: Callable[[], None]) -> None:
    """Run a stage; an error that the user can mend is printed in one paragraph with exit code 1, SIGTERM in one line
    with exit code 143.

    How its files were made is recorded beside them (`provenance`), by the first of several processes.
    """
    signal.signal(signal.SIGTERM, _stopped)
    first = os.environ.get("RANK", "0") == "0"
    try:
        with provenance.recording(sys.argv) if first else nullcontext():
            main()
    except (ValueError, OSError) as error:
        notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", []))
        sys.exit(f"error: {error}{notes}")
    except RuntimeError as error:
        if "no locator available" in str(error):  # numba, of functions that it compiles
            sys.exit(
                f"error: found no folder for compiled code: neither {Path.home()} nor the package's own can be written; wanted one "
                "of them. Set XDG_CACHE_HOME to a folder that can be written."
            )
        if "torchvision::" not in str(error):
            raise
        sys.exit(
            f"error: the installed torch and torchvision are builds that do not fit each other ({error}); fix with: pip install "
            "--force-reinstall torch torchvision"
        )
    finally:
        gc.freeze()  # else the interpreter's end looks through all objects of torch several times, which takes half a second


def _stopped(*_: object) -> None:
    """Leave by an exception, so that nothing stays half written."""
    stopping.leave("stopped by SIGTERM: finished files are kept, and the same command resumes from there")


def _leaves(section: type[BaseModel], prefix: str = "", default: BaseModel | None = None):
    """Yield (flag, (field, default)) of every option, nested sections with a dot."""
    instance = default or section()
    for name, field in section.model_fields.items():
        flag, value = f"{prefix}{name.replace('_', '-')}", getattr(instance, name)
        if isinstance(value, BaseModel):
            yield from _leaves(type(value), f"{flag}.", value)
        else:
            yield flag, (field, value)


def _shown(default: Any) -> str:
    """Return a default as one would type it."""
    return (default or "empty") if isinstance(default, str) else json.dumps(default)


def _set(values: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        values = values.setdefault(key, {})
    values[keys[-1]] = value


def _record(found: dict[str, Any], paths: dict[str, str], texts: Texts, options: Section) -> None:
    """Add the command line to the run's record; a value that names a file, as of weights, is an input too.

    Partial outputs of killed runs are removed.
    """
    provenance.tell(options=options.model_dump(mode="json"), **{name: found[name.replace("-", "_")] for name in texts})
    for name in paths:
        value = found[name.rstrip(MARKS).replace("-", "_")]
        named = list(_flat(value))
        (provenance.writes if ">" in name else provenance.reads)(*named)
        tidying.tidy_dead(named if ">" in name else [])
    values = (*(found[name.replace("-", "_")] for name in texts), *options.model_dump().values())
    provenance.reads(*(Path(value) for value in values if isinstance(value, str) and value and Path(value).is_file()))


def _flat(value: Any) -> Iterator[Path]:
    """Yield the paths of a flag: none, one, several, or groups of several."""
    if isinstance(value, list):
        for inner in value:
            yield from _flat(inner)
    elif value:
        yield value
