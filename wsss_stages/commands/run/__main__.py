"""Make masks and a trained segmenter of a folder of photographs with labels; the same command goes on where it stopped.

    wsss run photos                                # boxes, scribbles, points or tags: what is there is found out and said
    wsss run export.zip --masks                    # as CVAT, Label Studio, YOLO ... export it; only the masks, no segmenter
    wsss run photos --weak scribble --cores 4      # where there are several kinds of labels, or fewer cores shall work
    wsss run photos --config backbone_weights=weights.pth 'segment={epochs: 40}'

Results lie in results/NAME, settings in results/NAME/wsss.yaml: `snakemake --configfile` takes that file, and the same command reads it
again. Ctrl-C stops gently: photographs and steps at work are finished.
"""

import argparse
import copy
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from wsss_stages.commands import project as projects
from wsss_stages.commands.project import Project, ProjectError
from wsss_stages.commands.run import outcome, process, turn
from wsss_stages.commands.run.follow import Jobs, duration
from wsss_stages.commands.run.process import Order
from wsss_stages.config.options import KINDS
from wsss_stages.data import description
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.importers.recognise import WANTED, fitting
from wsss_stages.data.index import Index
from wsss_stages.data.weak.completeness import missing
from wsss_stages.roads.run_files import RunFiles


class RunError(ValueError):
    """A run that did not come to its end."""


def main(argv: list[str] | None = None) -> None:
    args = _parsed(argv)
    command_line = asked(args)
    project = Project.of(args.folder, args.results, command_line)
    before = project.read()
    settings = agreed(project, before, command_line, args.yes) if before else first(project, command_line)
    with turn.turn(project.home) as held:
        try:
            _run(args, project, settings, held)
        except KeyboardInterrupt:
            sys.exit(f"stopped; go on with the same command: wsss run {args.folder}")


def _run(args: argparse.Namespace, project: Project, settings: dict[str, Any], held: turn.Turn) -> None:
    """Read the folder, say what it is and what will be made, make it, and say where it is."""
    project.config(settings)  # faults of settings are reported before anything runs
    log = project.home / "logs" / project.name / "snakemake.log"
    order = Order(project.home, project.file, log, str(args.cores))
    _unlock(order, settings, held)
    if not project.index.is_file():
        sys.stdout.write(f"reading {project.root} ...\n")
        _index(order, project, settings, held)
    index = Index.read(project.index)
    contents = description.Contents.of(index)
    sys.stdout.write("".join(f"{line}\n" for line in description.lines(index, contents)))
    settings = with_weak(settings, index, contents)
    config = project.config(settings)
    if not project.file.is_file() or settings != project.read():
        project.write(settings)
    files = RunFiles(config, project.home)
    _say(project, config, args)
    jobs = Jobs(project.home)
    _use_plan(jobs, config, project, args.cores)
    order = Order(project.home, project.file, log, str(args.cores), ["masks"] if args.masks else [])
    if process.run(order, jobs, held):
        raise RunError(f"{outcome.failure(jobs.failures, log)}\nThe same command goes on: wsss run {args.folder}")
    lines = outcome.results(files, args.masks)
    lines.append(f"report        wsss report {args.folder}{_place(args)} --open")
    sys.stdout.write("done\n" + "".join(f"{line}\n" for line in lines))


def _parsed(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help=projects.FOLDER_HELP)
    parser.add_argument("--weak", choices=list(KINDS), help="kind of label to use, where the folder has several")
    parser.add_argument("--kind", help="kind of the folder (data.kind), where its content fits several")
    parser.add_argument("--variant", help="what to make, a variant of config.yaml (default ours)")
    parser.add_argument("--masks", action="store_true", help="end at the masks, without segmenter and scores")
    parser.add_argument(
        "--results", type=Path, default=Path(), metavar="DIR", help="folder for results/ and logs/ (default: this one)"
    )
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1, help="processes at once (default: all)")
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="single settings, as of snakemake")
    parser.add_argument(
        "--yes", action="store_true", help="change wsss.yaml to what the command line says without asking"
    )
    return parser.parse_args(argv)


def asked(args: argparse.Namespace) -> dict[str, Any]:
    """Return the settings of a command line."""
    settings = projects.parsed(args.config)
    named = {"weak": args.weak, "variant": args.variant}
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


def _unlock(order: Order, settings: dict[str, Any], held: turn.Turn) -> None:
    """Remove Snakemake's lock where the run before was killed; no process is at work here, as `turn` has looked."""
    if not turn.locked(order.home):
        return
    if not held.after_a_kill:
        raise RunError(
            f"{order.home}: found a lock of Snakemake, which another machine may hold; wanted none. If none is at work: snakemake --unlock"
        )
    sys.stdout.write("the run before was killed: its lock is removed\n")
    with tempfile.TemporaryDirectory(prefix="wsss_") as folder:
        process.unlock(_with(order, settings, Path(folder)))


def _index(order: Order, project: Project, settings: dict[str, Any], held: turn.Turn) -> None:
    """Make the index alone, before there is a wsss.yaml."""
    with tempfile.TemporaryDirectory(prefix="wsss_") as folder:
        jobs = Jobs(project.home)
        target = str(project.index.relative_to(project.home))
        if process.run(_with(order, settings, Path(folder), target), jobs, held):
            raise RunError(outcome.failure(jobs.failures, order.log))


def _with(order: Order, settings: dict[str, Any], folder: Path, *targets: str) -> Order:
    """Return a call of Snakemake with settings of a file in a temporary folder."""
    path = folder / projects.FILE
    path.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    return Order(order.home, path, order.log, order.cores, targets)


def _say(project: Project, config: dict[str, Any], args: argparse.Namespace) -> None:
    sys.stdout.write(
        f"makes        variant {config['variant']} of {config['weak']} labels in {project.results}\nsettings in  {project.file}\n"
        f"log          {project.home / 'logs' / project.name / 'snakemake.log'}\n"
    )


def _use_plan(jobs: Jobs, config: dict[str, Any], project: Project, cores: int) -> None:
    """Share the time by what `wsss plan` has measured, if it has, and say the whole."""
    from wsss_stages.commands.plan.estimate import known

    lines = known(config, cores, project.index)
    if lines is None:
        sys.stdout.write(f"how long     not measured; `wsss plan {project.root}` does in some minutes\n")
        return
    jobs.weights |= {line.stage: 3600 * line.hours for line in lines}
    total, disk = 3600 * sum(line.hours for line in lines), sum(line.disk for line in lines)
    sys.stdout.write(f"how long     about {duration(total)} from scratch and {disk:.1f} GB, by `wsss plan`\n")


def _place(args: argparse.Namespace) -> str:
    return f" --results {args.results}" if args.results != Path() else ""


if __name__ == "__main__":
    from wsss_stages.stages import cli

    cli.run(main)
