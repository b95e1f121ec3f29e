"""One command for everything that a person does: wsss run FOLDER, wsss report FOLDER, and what stands below.

    wsss run FOLDER              # photographs with labels to masks and a trained segmenter; the same command goes on after a stop
    wsss report FOLDER --open    # the result as one HTML file
    wsss COMMAND --help          # options and examples of a command

`snakemake` does the same with the file wsss.yaml that `wsss run` writes.
"""

import importlib
import sys
from functools import partial
from typing import NamedTuple


class Command(NamedTuple):
    """A subcommand: the module with its `main(argv)`, and what it does in a line."""

    module: str
    does: str


COMMANDS = {
    "run": Command("run.__main__", "masks and a segmenter of a folder of photographs; goes on where it stopped"),
    "check": Command("check", "what a folder is, and all that is wrong with it; writes nothing"),
    "plan": Command("plan.__main__", "hours, disk and memory of a run, measured on a few images"),
    "report": Command("report", "the result as one HTML file"),
    "review": Command("review", "labels in the browser, worst first, to correct them"),
    "import": Command("corrections", "corrected labels into a run"),
    "predict": Command("predict", "masks of photographs or a video by trained weights"),
    "few-shot": Command("few_shot", "masks of a new class from one to five examples"),
    "export": Command("export", "masks or boxes in the format of another tool"),
    "card": Command("card", "what a table of the thesis claims, how ours is run, and what was measured here"),
    "inspect": Command("inspect", "how a file of the results was made, back to the photograph"),
    "where": Command("where", "the folder of the workflow, for plain snakemake"),
}
"""Subcommands in the order of their use; modules are below wsss_stages.commands, and loaded when they are asked for."""


def main(argv: list[str] | None = None) -> None:
    name, *rest = (sys.argv[1:] if argv is None else argv) or ["--help"]
    if name in ("-h", "--help", "help"):
        sys.stdout.write(usage())
    elif name == "--version":
        from importlib.metadata import version

        sys.stdout.write(f"wsss-stages {version('wsss-stages')}\n")
    elif name in COMMANDS:
        start(name, rest)
    else:
        sys.exit(unknown(name))


def usage() -> str:
    """Return the text of --help."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {command.does}" for name, command in COMMANDS.items()]
    return "\n".join(["usage: wsss COMMAND ...", "", (__doc__ or "").strip(), "", "commands:", *lines, ""])


def unknown(name: str) -> str:
    """Return the message for a subcommand that there is none of, with the nearest."""
    import difflib

    near = difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.5)
    wanted = f"did you mean `wsss {near[0]}`?" if near else f"wanted one of {', '.join(COMMANDS)}"
    return f"wsss: found no command {name!r}; {wanted} `wsss --help` says what each does."


def start(name: str, rest: list[str]) -> None:
    """Run a subcommand, whose usage line is then `wsss NAME`."""
    from wsss_stages.stages import cli

    sys.argv = [f"wsss {name}", *rest]
    module = importlib.import_module(f"wsss_stages.commands.{COMMANDS[name].module}")
    cli.run(partial(module.main, rest))


if __name__ == "__main__":
    main()
