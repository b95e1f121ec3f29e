"""Runs trainings in forks of one process, undisturbed and interrupted: `interrupted.py PLAN.json`.

The plan is {stage: {"argv": command line but for --weights, "whole": path, "often": path}}. Beside it ends.json is written: {stage:
exit codes of the runs that were interrupted at shares of the steps, and of the last one}.
"""

import importlib
import json
import os
import signal
import sys
from pathlib import Path

import torch

from wsss_stages.training import (
    checkpoints,
    held_out,
    networks,  # noqa: F401  once for all forks
)
from wsss_stages.training.clock import Clock

ENDS = ((0.1, signal.SIGKILL), (0.3, signal.SIGTERM), (0.5, signal.SIGKILL), (0.9, signal.SIGKILL))


def run(stage: str, argv: list[str], share: float, how: int) -> int:
    """Exit code of a training that gets a signal after a share of its steps, which are not yet in a checkpoint."""
    main = importlib.import_module(f"wsss_stages.stages.{stage}").main
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    torch.set_num_threads(1)
    checkpoints.SECONDS, held_out.FEWEST, report = 0.0, 4, Clock.report

    def interrupted(clock: Clock, step: int, loss: float) -> float:
        if step == max(2, round(share * clock.pace.total)):
            os.kill(os.getpid(), how)
            os.kill(os.getpid(), how)  # as SLURM does
        return report(clock, step, loss)

    Clock.report = interrupted
    try:
        main(argv)
    except SystemExit as left:
        os._exit(left.code)
    os._exit(0)


if __name__ == "__main__":
    torch.optim.SGD([torch.zeros(1)])  # the first optimizer of a process imports for two seconds: once for all forks
    plan = Path(sys.argv[1])
    ends = {}
    for stage, order in json.loads(plan.read_text()).items():
        whole, often = ([*order["argv"], "--weights", order[name]] for name in ("whole", "often"))
        ends[stage] = [run(stage, whole, 2, 0), *(run(stage, often, *end) for end in ENDS), run(stage, often, 2, 0)]
    plan.with_name("ends.json").write_text(json.dumps(ends))
