"""A server that runs stages as their command lines do, each in a process of its own that can be made to die or to find no room.

It imports the heavy libraries once and forks for every run, so that twenty runs cost one start. Reads a line of JSON per run from
standard input, the arguments of `run`, and answers with a line: exit code (negative: signal) of the run.
"""

import atexit
import importlib
import json
import os
import resource
import signal
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path

import torch

PACKAGE = "wsss_stages.stages."
HEAVY = (
    "store.artifacts",
    "shards.shard",
    "training.networks",
    "training",
    "store.progress",
    "labels.crf",
    "labels.superpixels",
    "labels.grabcut",
    "data.instances",
)


def die(partial: Path) -> None:
    """Killed with half of the file written."""
    os.truncate(partial, partial.stat().st_size // 2)
    os.kill(os.getpid(), signal.SIGKILL)


def stop(partial: Path) -> None:
    """SIGTERM with half of the file written."""
    os.truncate(partial, partial.stat().st_size // 2)
    os.kill(os.getpid(), signal.SIGTERM)


def watch(folder: str) -> None:
    """Refuse whatever would change anything below a folder, by the audit events of Python's own calls."""
    changing = {"os.remove": 1, "os.rename": 2, "os.mkdir": 1, "os.rmdir": 1, "os.link": 2, "os.symlink": 2, "os.truncate": 1,
                "os.chmod": 1, "os.utime": 1}  # fmt: skip

    def look(event: str, arguments: tuple) -> None:
        if event == "open":
            writes = arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            paths = arguments[:1] if writes else ()
        else:
            paths = arguments[: changing.get(event, 0)]
        for path in paths:
            if isinstance(path, str | os.PathLike) and os.path.abspath(path).startswith(folder):
                raise RuntimeError(f"{event} of {path} would change the dataset")

    sys.addaudithook(look)


def run(stage: str, argv: list[str], log: str, at: int, fault: str, room: int, read_only: str) -> None:
    """A stage's command line; the names of what it wrote go to `log`, output and errors to `log`.out.

    Args:
        at: number of the file, from 1, that the fault hits; 0: none.
        room: bytes that a file may have; 0: any number.
        read_only: a folder below which nothing may be changed; empty: none.
    """
    from wsss_stages.stages import cli
    from wsss_stages.store import artifacts

    out = os.open(f"{log}.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    real, begun = artifacts.whole, []

    @contextmanager
    def whole(path):
        with real(path) as partial:
            yield partial
            begun.append(path)
            if len(begun) == at:
                {"die": die, "stop": stop}[fault](partial)
        with open(log, "a") as file:
            file.write(f"{path}\n")

    artifacts.whole = whole
    module = importlib.import_module(PACKAGE + stage)
    if room:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    if read_only:
        watch(read_only)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.argv = [module.__file__, *argv]
    cli.run(module.main)


def main() -> None:
    for name in HEAVY:
        importlib.import_module(f"wsss_stages.{name}")
    torch.optim.SGD([torch.zeros(1)])  # the first optimizer of a process imports for two seconds
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                run(**order)
                code = 0
            except SystemExit as error:
                code = error.code
                if isinstance(code, str):
                    sys.stderr.write(f"{code}\n")
                    code = 1
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                atexit._run_exitfuncs()
                os._exit(code or 0)
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
    os._exit(0)  # taking apart the libraries costs ten seconds


if __name__ == "__main__":
    main()
