"""Make masks and a trained segmenter of a folder of photographs with labels; the same command goes on where it stopped.

    wsss run photos                                # boxes, scribbles, points or tags: what is there is found out and said
    wsss run export.zip --masks                    # as CVAT, Label Studio, YOLO ... export it; only the masks, no segmenter
    wsss run photos --weak scribble --cores 4      # where there are several kinds of labels, or fewer cores shall work
    wsss run photos --config backbone_weights=weights.pth 'segment={epochs: 40}'

Results lie in results/NAME, settings in results/NAME/wsss.yaml: `snakemake --configfile` takes that file, and the same command reads it
again. Ctrl-C stops gently: photographs and steps at work are finished.
"""

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from wsss_stages.commands import project as projects
from wsss_stages.commands import settings
from wsss_stages.commands.project import Project
from wsss_stages.commands.run import outcome, process, turn
from wsss_stages.commands.run.follow import Jobs, duration
from wsss_stages.commands.run.process import Order
from wsss_stages.data import description
from wsss_stages.data.index import Index
from wsss_stages.roads.run_files import RunFiles

STOPPED = 130
"""Exit code of a shell for a process that Ctrl-C ended."""


class RunError(ValueError):
    """A run that did not come to its end."""


def main(argv: list[str] | None = None) -> None:
    args = _parsed(argv)
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell's background job ignores it, and Snakemake would then, too
    command_line = settings.asked(args)
    project = Project.of(args.folder, args.results, command_line)
    before = project.read()
    if before:
        chosen = settings.agreed(project, before, command_line, args.yes)
    else:
        chosen = settings.first(project, command_line)
    with turn.turn(project.home) as held:
        try:
            _run(args, project, chosen, held)
        except KeyboardInterrupt:
            sys.stdout.write(f"stopped; go on with the same command: wsss run {args.folder}{_place(args)}\n")
            sys.exit(STOPPED)


def _run(args: argparse.Namespace, project: Project, chosen: dict[str, Any], held: turn.Turn) -> None:
    """Read the folder, say what it is and what will be made, make it, and say where it is."""
    project.config(chosen)  # faults of settings are reported before anything runs
    log = project.home / "logs" / project.name / "snakemake.log"
    order = Order(project.home, project.file, log, str(args.cores))
    _unlock(order, chosen, held)
    sys.stdout.write(f"reading {project.root} ...\n")
    _index(order, project, chosen, held)
    index = Index.read(project.index)
    contents = description.Contents.of(index)
    sys.stdout.write("".join(f"{line}\n" for line in description.lines(index, contents)))
    chosen = settings.with_weak(chosen, index, contents)
    config = project.config(chosen)
    if not project.file.is_file() or chosen != project.read():
        project.write(chosen)
    files = RunFiles(config, project.home)
    _say(project, config, args)
    jobs = Jobs(project.home)
    _use_plan(jobs, config, project, args.cores)
    order = Order(project.home, project.file, log, str(args.cores), ["masks"] if args.masks else [])
    if process.run(order, jobs, held):
        raise RunError(
            f"{outcome.failure(jobs.failures, log)}\nThe same command goes on: wsss run {args.folder}{_place(args)}"
        )
    lines = outcome.results(files, args.masks)
    lines.append(f"report        wsss report {args.folder}{_place(args)} --open")
    sys.stdout.write("done\n" + "".join(f"{line}\n" for line in lines))


def _parsed(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    settings.add_folder(parser)
    parser.add_argument("--variant", help="what to make, a variant of config.yaml (default ours)")
    parser.add_argument("--masks", action="store_true", help="end at the masks, without segmenter and scores")
    parser.add_argument(
        "--results", type=Path, default=Path(), metavar="DIR", help="folder for results/ and logs/ (default: this one)"
    )
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1, help="processes at once (default: all)")
    parser.add_argument(
        "--yes", action="store_true", help="change wsss.yaml to what the command line says without asking"
    )
    return parser.parse_args(argv)


def _unlock(order: Order, chosen: dict[str, Any], held: turn.Turn) -> None:
    """Remove Snakemake's lock where the run before was killed; no process is at work here, as `turn` has looked."""
    if not turn.locked(order.home):
        return
    if not held.after_a_kill:
        raise RunError(
            f"{order.home}: found a lock of Snakemake, which another machine may hold; wanted none. If none is at work: snakemake --unlock"
        )
    sys.stdout.write("the run before was killed: its lock is removed\n")
    with tempfile.TemporaryDirectory(prefix="wsss_") as folder:
        process.unlock(_with(order, chosen, Path(folder)))


def _index(order: Order, project: Project, chosen: dict[str, Any], held: turn.Turn) -> None:
    """Make the index alone: what is said of the folder, and the jobs of the run, come from it."""
    with tempfile.TemporaryDirectory(prefix="wsss_") as folder:
        jobs = Jobs(project.home)
        target = str(project.index.relative_to(project.home))
        if process.run(_with(order, chosen, Path(folder), target), jobs, held):
            raise RunError(outcome.failure(jobs.failures, order.log))


def _with(order: Order, chosen: dict[str, Any], folder: Path, *targets: str) -> Order:
    """Return a call of Snakemake with settings of a file in a temporary folder."""
    path = folder / projects.FILE
    path.write_text(yaml.safe_dump(chosen, allow_unicode=True), encoding="utf-8")
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
