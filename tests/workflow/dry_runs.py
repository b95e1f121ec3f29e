"""Snakemake's dry runs, each in a fork of one process that has imported what they all import: half of their time.

A line of JSON on standard input is a run: its `folder`, its `arguments`, its `environment`, and the file for its `output`. The answer is
a line with the exit code.
"""

import atexit
import importlib
import json
import os
import sys

from snakemake import cli

for name in (
    "config.dag",
    "config.variants",
    "config.options",
    "data.changes",
    "shards.lost",
    "stages.cli",
    "store.contracts",
):
    importlib.import_module(f"wsss_stages.{name}")


def run(folder: str, arguments: list[str], environment: dict[str, str], output: str) -> None:
    """Run snakemake's command line and end the process as it would."""
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["snakemake", *arguments]
    code = 1
    try:
        cli.main(arguments)
    except SystemExit as left:
        code = int(left.code or 0)
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


for line in sys.stdin:
    child = os.fork()
    if child == 0:
        run(**json.loads(line))
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
