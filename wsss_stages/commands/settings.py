"""The settings of a run: what the command line says, what wsss.yaml says, and what the folder's content decides."""

import argparse
import copy
import sys
from pathlib import Path
from typing import Any

from wsss_stages.commands import project as projects
from wsss_stages.commands.project import Project, ProjectError
from wsss_stages.config.options import KINDS
from wsss_stages.data import description
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.importers.recognise import WANTED, fitting
from wsss_stages.data.index import Index
from wsss_stages.data.weak.completeness import missing


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what a folder is."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help=projects.FOLDER_HELP)
    parser.add_argument("--weak", choices=list(KINDS), help="kind of label to use, where the folder has several")
    parser.add_argument("--kind", help="kind of the folder (data.kind), where its content fits several")
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="single settings, as of snakemake")


def asked(args: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of a command line."""
    settings = projects.parsed(args.config)
    named = {"weak": args.weak, "variant": vars(args).get("variant")}
    settings |= {key: value for key, value in named.items() if value}
    if args.kind:
        settings["data"] = {**settings.get("data", {}), "kind": args.kind}
    return settings


def first(project: Project, command_line: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a folder that has none yet: its kind by its content, and the weights that are at hand."""
    kind = (command_line.get("data") or {}).get("kind") or only_kind(project.root)
    start, words = projects.weights(command_line)
    sys.stdout.write(f"folder       {project.root}, kind {kind}\nstarts from  {words}\n")
    settings = {"dataset": project.name, "dataset_root": str(project.root)}
    return merged(settings | start | {"data": {"kind": kind}}, command_line)


def only_kind(root: Path) -> str:
    """Return the kind of a folder by its content. Raises ProjectError where several kinds fit, or none."""
    kinds = fitting(root)
    if len(kinds) == 1:
        return kinds[0]
    if kinds:
        flags = " or ".join(f"--kind {kind}" for kind in kinds)
        raise ProjectError(f"{root}: found labels of {' and of '.join(kinds)}; wanted one kind. Say which: {flags}")
    raise ProjectError(
        f"{root}: found labels of no kind that is known; wanted {WANTED}. See docs/datasets.md for the layouts."
    )


def agreed(project: Project, before: dict[str, Any], command_line: dict[str, Any], yes: bool) -> dict[str, Any]:
    """Return the settings of wsss.yaml, changed by the command line where a person agrees. Raises ProjectError."""
    settings = merged(before, command_line)
    sys.stdout.write(f"settings     {project.file}\n")
    changed = [key for key in settings if settings[key] != before.get(key)]
    if not changed:
        return settings
    for key in changed:
        sys.stdout.write(
            f"changed      {key}: {before.get(key, 'the default')} in wsss.yaml, {settings[key]} on the command line\n"
        )
    if yes or (
        sys.stdin.isatty() and input("Write this into wsss.yaml and run? [y/N] ").strip().lower() in ("y", "yes")
    ):
        return settings
    raise ProjectError(
        f"{project.file}: found other settings than the command line's ({', '.join(changed)}); wanted the same. Leave the options out, "
        "or add --yes to change the file."
    )


def merged(settings: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return settings with others laid over them, as snakemake does."""
    from snakemake.utils import update_config

    found = copy.deepcopy(settings)
    update_config(found, over)
    return found


def with_weak(settings: dict[str, Any], index: Index, contents: description.Contents) -> dict[str, Any]:
    """Return settings with the kind of label that a run takes. Raises DatasetError where labels of it are missing."""
    if weak := settings.get("weak"):
        if findings := missing(index, weak):
            raise DatasetError(findings)
        return settings
    weak, why = description.choose_weak(index, contents)
    sys.stdout.write(f"takes        weak: {weak}, since {why}\n")
    return settings | {"weak": weak}
