"""Write the result of a run as one HTML file, with pictures inside: it can be sent, and opened on a phone.

    wsss report photos --open                # of `wsss run photos`, in the same folder
    wsss report results/photos/box/truth     # another variant
    wsss report results/photos --images 30   # more rows of pictures

What is not made yet is named. `snakemake --report report.html --configfile results/photos/wsss.yaml` makes Snakemake's own report.
"""

import argparse
import sys
import webbrowser
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from wsss_stages.commands import project as projects
from wsss_stages.commands.project import Project, ProjectError
from wsss_stages.data.index import Index
from wsss_stages.roads.run_files import RunFiles
from wsss_stages.store import artifacts

NAME = "report.html"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=Path, metavar="FOLDER", help=projects.TARGET_HELP)
    parser.add_argument("--results", type=Path, default=Path(), metavar="DIR", help=projects.RESULTS_HELP)
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="single settings, as of snakemake")
    parser.add_argument("--images", type=int, default=12, help="rows of pictures (default 12)")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help=f"file to write (default {NAME} in the folder of the variant)"
    )
    parser.add_argument("--open", action="store_true", help="open it in the browser")
    args = parser.parse_args(argv)
    files = run_files(args.target, args.results, projects.parsed(args.config))
    index = opened(files)

    from wsss_stages.roads.html_report import HtmlReport

    page = HtmlReport(files, index).page(max(1, args.images))
    path = args.out or files.folder / NAME
    with artifacts.whole(path) as partial:
        partial.write_text(page, encoding="utf-8")
    sys.stdout.write(f"{path}: {path.stat().st_size / 1e6:.1f} MB\n")
    if args.open and not webbrowser.open(path.absolute().as_uri()):
        sys.stdout.write("found no browser to open it in\n")


def run_files(target: Path, results: Path, settings: dict[str, Any]) -> RunFiles:
    """Return the files of a run, of a folder of photographs or of results. Raises ProjectError where there are none."""
    places = (target, *target.absolute().parents[:2])
    dataset = next((place for place in reversed(places) if (place / "index.json").is_file()), None)
    if dataset is None:
        project = Project.of(target, results, settings)
        chosen = project.read()
    else:
        dataset = dataset.absolute()
        below = target.absolute().relative_to(dataset).parts
        settings = dict(zip(("weak", "variant"), below, strict=False)) | settings
        file = dataset / projects.FILE
        chosen = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
        root = chosen.get("dataset_root") or str(Index.read(dataset / "index.json").root)
        project = Project(Path(root), dataset.parents[1], dataset.name)
    project.check_made(target)
    named = {"dataset": project.name, "dataset_root": str(project.root)}
    return RunFiles(project.config({**named, **chosen, **settings}), project.home)


def opened(files: RunFiles) -> Index:
    """Return the index of a run's labels, with the folder of the photographs as seen from here. Raises ProjectError."""
    if not files.weak_index.is_file():
        others = sorted(path.parent.name for path in files.dataset.glob("*/index.json"))
        raise ProjectError(
            f"{files.weak_index}: found no index; wanted the results of a run on {files.config['weak']} labels"
            f"{', here ' + ', '.join(others) if others else ''}. Run it first, or name the others' folder."
        )
    index = Index.read(files.weak_index)
    return replace(index, root=files.home / index.root)


if __name__ == "__main__":
    from wsss_stages.stages import cli

    cli.run(main)
