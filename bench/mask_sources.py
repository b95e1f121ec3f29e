"""Masks of boxes by SAM 2.1-tiny, its true size with random weights, against GrabCut: seconds an image and a box, peak memory.

    python bench/mask_sources.py

Random weights take the time of trained ones and say nothing of quality. Every row is a process of its own, as of one job of the
workflow; seconds of an image are those without boxes (embeddings), seconds of a box the slope over their number. Wall seconds are of a
quiet machine alone, CPU-seconds, summed over threads, of a busy one too.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from skimage import data as photographs

from bench import machine, seconds
from wsss_stages.config.options import Masks
from wsss_stages.data.index import Index, Record
from wsss_stages.labels.prompts import of_boxes
from wsss_stages.roads.mask_sources import MASK_SOURCES, Given

BOXES = (1, 9)
"""Numbers of boxes that are timed."""
ROWS = [("grabcut", "", ""), ("sam", "sam2.1-tiny", "float32"), ("sam", "sam2.1-tiny", "bfloat16")]
"""Source, model, precision."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--row", type=int, help="measure one row and print it as JSON; used by the script itself")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.row is not None:
        print(json.dumps(measure(*ROWS[args.row], args.runs, args.device)))
        return
    print(f"{machine(args.device)}; a photograph of 512 x 512 pixels")
    table = Table("source", "precision", "an image, s", "a box, s", "an image, CPU-s", "a box, CPU-s", "peak GB")
    for number, (source, model, precision) in enumerate(ROWS):
        given = ["--runs", str(args.runs), "--threads", str(args.threads), "--device", args.device]
        environment = os.environ | {"OMP_NUM_THREADS": str(args.threads)}
        output = subprocess.run(
            [sys.executable, __file__, "--row", str(number), *given], stdout=subprocess.PIPE, text=True, check=True, env=environment,
        ).stdout  # fmt: skip
        times, gigabytes = json.loads(output.splitlines()[-1])
        numbers = []
        for few, many in zip(*times, strict=True):
            box = (many - few) / (BOXES[1] - BOXES[0])
            numbers += [f"{max(0.0, few - box):.2f}", f"{box:.2f}"]
        table.add_row(model or source, precision, *numbers, f"{gigabytes:.2f}")
    Console().print(table)


def measure(source: str, model: str, precision: str, runs: int, device: str) -> tuple[list[list[float]], float]:
    """Return median wall and CPU-seconds with few and with many boxes, and the peak memory of the process in GB."""
    made = (
        true_sized(precision, device)
        if source == "sam"
        else MASK_SOURCES[source].build(Masks(), Index("photos", Path(), ["background"], {}, {}), device)
    )
    image = photographs.astronaut()
    given = Given(Record("photo", "", "", *image.shape[:2], *image.shape[:2]), image)
    medians = []
    for count in BOXES:
        prompts = of_boxes(boxes(count), np.ones(count, np.uint8))
        made(given, prompts)
        times = [timed(lambda: made(given, prompts), device) for _ in range(runs)]  # noqa: B023
        medians.append(np.median(times, axis=0).tolist())
    return medians, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def timed(work: Callable, device: str) -> tuple[float, float]:
    """Return wall and CPU-seconds of one run."""
    began = time.process_time()
    return seconds(work, device), time.process_time() - began


def true_sized(precision: str, device: str):
    """Return the source with a SAM 2.1-tiny, transformers' default, and random weights."""
    from transformers import Sam2Config, Sam2ImageProcessor, Sam2Model

    from wsss_stages.nets.promptable import Promptable
    from wsss_stages.roads.mask_sources.sam import Sam

    torch.manual_seed(0)
    network = Promptable(Sam2Model(Sam2Config()), Sam2ImageProcessor(), device, getattr(torch, precision))
    return Sam(network, "random", Masks(source="sam"))


def boxes(count: int) -> np.ndarray:
    """Return boxes of a third of the photograph, spread over it."""
    rng = np.random.default_rng(0)
    starts = rng.integers(0, 512 - 170, (count, 2))
    return np.concatenate([starts, starts + 170], axis=1)


if __name__ == "__main__":
    main()
