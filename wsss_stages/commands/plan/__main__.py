"""Estimate the cost of a run before it starts: jobs, hours, disk and memory of every stage.

    wsss plan photos                          # of `wsss run photos`
    wsss plan photos --cores 4 --again        # on fewer cores, measured again
    wsss plan photos --target instances       # of the detector that `snakemake instances` trains
    python -m wsss_stages.commands.plan --configfile mine.yaml --config dataset_root=FOLDER backbone_weights=FILE

takes the options of `snakemake`, too. The first time, a few images go through every stage on this machine, which takes some minutes;
the cost of an image and of a training step is then kept in the cache folder. `--again` measures again.
"""

import argparse
import os
from pathlib import Path

from rich.console import Console
from rich.table import Table

from wsss_stages.commands import project as projects
from wsss_stages.commands import settings
from wsss_stages.commands.plan.estimate import Line, plan
from wsss_stages.config import variants
from wsss_stages.stages import cli


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "folder", type=Path, nargs="?", metavar="FOLDER", help=f"{projects.FOLDER_HELP}, as of wsss run"
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder for results/ of wsss run (default: this one)",
    )
    parser.add_argument(
        "--configfile", type=Path, nargs="+", default=[], help="settings over config.yaml, as snakemake"
    )
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="single settings, as snakemake")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1, help="as snakemake (default: all)")
    parser.add_argument(
        "--index", type=Path, help="index.json of the data stage, if it exists; otherwise it is made first"
    )
    parser.add_argument("--again", action="store_true", help="measure again, even if this machine's costs are known")
    parser.add_argument("--target", choices=("all", "instances"), default="all", help="what is made (default all)")
    args = parser.parse_args(argv)
    if args.folder:
        config, made = of_folder(args)
        args.index = args.index or made
    else:
        config = variants.load([variants.DEFAULTS, *args.configfile], args.config, variants.own_file())
    lines = plan(config, args.cores, args.again, args.index, args.target)
    show(config, lines, args.cores)


def of_folder(args: argparse.Namespace) -> tuple[dict, Path | None]:
    """Return the configuration of `wsss run FOLDER`, and the index if it is there. Raises ProjectError for files of settings."""
    if args.configfile:
        raise projects.ProjectError(
            "--configfile: found one beside FOLDER; wanted one of them. Single settings: --config KEY=VALUE"
        )
    command_line = projects.parsed(args.config)
    project = projects.Project.of(args.folder, args.results, command_line)
    before = project.read()
    chosen = settings.merged(before, command_line) if before else settings.first(project, command_line)
    return project.config(chosen), project.index if project.index.is_file() else None


def show(config: dict, lines: list[Line], cores: int) -> None:
    """Print the table."""
    table = Table("stage", "jobs", "images or steps", "wall time", "disk GB", "peak GB a job")
    for line in lines:
        units = f"{line.units} {line.what}"
        table.add_row(line.stage, str(line.jobs), units, _time(line.hours), f"{line.disk:.2f}", f"{line.gigabytes:.1f}")
    total = sum(line.hours for line in lines)
    disk, memory = sum(line.disk for line in lines), max(line.gigabytes * min(line.jobs, cores) for line in lines)
    table.add_row("all", str(sum(line.jobs for line in lines)), "", _time(total), f"{disk:.2f}", "", style="bold")
    console = Console()
    console.print(f"{config['dataset']}, variant {config['variant']}, {cores} cores")
    console.print(table)
    console.print(f"Memory at the worst moment: {memory:.1f} GB. From scratch; finished stages cost nothing.")


def _time(hours: float) -> str:
    return f"{hours:.1f} h" if hours >= 1 else f"{60 * hours:.1f} min"


if __name__ == "__main__":
    cli.run(main)
