"""Snakemake as a process of its own session: its output in a file, one line of progress, a gentle stop."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import psutil

from wsss_stages.commands.run.follow import Jobs
from wsss_stages.commands.run.turn import Turn
from wsss_stages.config.home import snakefile

POLL = 0.5
"""Seconds between two looks at the output."""
EVERY = 30.0
"""Seconds between two lines where the output is no terminal."""
AGAIN = 2.0
"""Seconds after which jobs that have started meanwhile are asked to stop, too."""
STOPPING = "stopping: photographs and steps at work are finished first; Ctrl-C again ends everything at once"


@dataclass(frozen=True)
class Order:
    """A call of Snakemake in a folder."""

    home: Path
    configfile: Path
    log: Path
    cores: str
    targets: Sequence[str] = ()

    def command(self, *more: str) -> list[str]:
        """Return the command line."""
        place = ["--snakefile", str(snakefile()), "--directory", str(self.home), "--configfile", str(self.configfile)]
        flags = ["--nocolor", "--printshellcmds", "--rerun-incomplete"]
        return [sys.executable, "-m", "snakemake", *self.targets, *place, "--cores", self.cores, *flags, *more]


def unlock(order: Order) -> None:
    """Remove Snakemake's lock of a run that was killed."""
    subprocess.run(order.command("--unlock"), env=environment(), check=True, capture_output=True)


def environment() -> dict[str, str]:
    """Return the environment of jobs, which find this interpreter first."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def run(order: Order, jobs: Jobs, held: Turn) -> int:
    """Run Snakemake to its end and show progress; return its exit code. A signal that ends this process stops it gently."""
    order.log.parent.mkdir(parents=True, exist_ok=True)
    with open(order.log, "w") as written, open(order.log) as output:
        process = subprocess.Popen(
            order.command(), stdin=subprocess.DEVNULL, stdout=written, stderr=subprocess.STDOUT, env=environment(),
            start_new_session=True, pass_fds=(held.descriptor,),
        )  # fmt: skip
        shown = Line()
        try:
            while process.poll() is None:
                take(output, jobs)
                shown.show(jobs.line())
                with suppress(subprocess.TimeoutExpired):
                    process.wait(POLL)
        except BaseException:
            shown.end(STOPPING)
            stop(process)
            raise
        take(output, jobs)
        shown.end()
    return process.returncode


def take(output: TextIO, jobs: Jobs) -> None:
    """Read the whole lines that Snakemake has added to its output."""
    while True:
        at = output.tell()
        line = output.readline()
        if not line.endswith("\n"):
            output.seek(at)
            return
        jobs.read(line)


def stop(process: subprocess.Popen) -> None:
    """Let Snakemake start no more jobs and those at work finish what they do; a second Ctrl-C kills them all.

    Snakemake gets SIGINT once, and stages SIGTERM, at which they finish an image or write a checkpoint.
    """
    process.send_signal(signal.SIGINT)
    asked: set[psutil.Process] = set()
    try:
        while process.poll() is None:
            for job in set(stages(process.pid)) - asked:
                asked.add(job)
                with suppress(psutil.Error):
                    job.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(AGAIN)
    except KeyboardInterrupt:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


def stages(pid: int) -> list[psutil.Process]:
    """Return the processes of stages below a process, without the shells that started them."""
    found = []
    with suppress(psutil.Error):
        for child in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.Error):
                words = child.cmdline()
                if any(word.startswith("wsss_stages.stages") for word in words):
                    found.append(child)
    return found


class Line:
    """One line that changes in place on a terminal; elsewhere a line every half minute."""

    def __init__(self) -> None:
        self.on_terminal = sys.stdout.isatty()
        self.last, self.text = -EVERY, ""

    def show(self, text: str) -> None:
        """Show the newest text."""
        now = time.monotonic()
        if self.on_terminal:
            width = shutil.get_terminal_size().columns - 1
            sys.stdout.write(f"\r\x1b[2K{text[:width]}")
        elif now - self.last >= EVERY and text != self.text:
            sys.stdout.write(f"{text}\n")
            self.last, self.text = now, text
        sys.stdout.flush()

    def end(self, text: str = "") -> None:
        """Leave the line, with a last text below it."""
        sys.stdout.write("\n" * self.on_terminal + text + "\n" * bool(text))
        sys.stdout.flush()
