"""The common output of all benchmarks: the machine, the median of alternating runs, whether both sides agree, and the goals."""

import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table


@dataclass
class Side:
    """One way to compute the same: its name, the work (returns what is compared), and how many times slower than the
    first it should be."""

    name: str
    work: Callable[[], tuple[torch.Tensor, ...]]
    goal: float | None


def machine(device: str = "cpu") -> str:
    """Return a line that names the machine."""
    if device != "cpu":
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    info = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return f"{(names or [platform.processor()])[0]}, {torch.get_num_threads()} threads, torch {torch.__version__}"


def seconds(work: Callable, device: str = "cpu") -> float:
    """Wall time of one run."""
    _wait(device)
    start = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - start


def compare(sides: list[Side], runs: int, device: str, tolerance: float) -> None:
    """Time all sides in turn, print the table, and exit with 1 where they differ or a goal is missed."""
    results = [side.work() for side in sides]  # also the warm-up
    times: list[list[float]] = [[] for _ in sides]
    for _ in range(runs):
        for side, measured in zip(sides, times, strict=True):
            measured.append(seconds(side.work, device))
    medians = [statistics.median(measured) for measured in times]
    table = Table("", "seconds", "ratio", "goal", "largest difference")
    failed = False
    for side, result, median in zip(sides, results, medians, strict=True):
        apart = max(float((a - b).abs().max()) for a, b in zip(result, results[0], strict=True))
        ratio = median / medians[0]
        failed |= apart > tolerance or (side.goal is not None and ratio < side.goal)
        goal = "" if side.goal is None else f"{side.goal:g}x"
        table.add_row(side.name, f"{median:.4f}", f"{ratio:.1f}x", goal, f"{apart:.1e}")
    Console().print(table)
    finish(failed)


def record(path: Path | None, **found: float) -> None:
    """Append named seconds an image to a file of JSON lines, from which bench/road.py reads them; None: nowhere."""
    if path:
        with path.open("a") as file:
            file.write(json.dumps(found) + "\n")


def finish(failed: bool) -> None:
    """Exit status of a benchmark."""
    if failed:
        sys.exit("a goal was missed, or the sides differ")


def _wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize(device)
