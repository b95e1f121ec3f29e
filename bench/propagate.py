"""A²GNN of whole images, all losses: seconds and peak memory an image, one at a time against batched, small and large.

    python bench/propagate.py --help

Every row runs as the workflow runs it on a CPU: a process for each core, one thread each, at once; seconds an image are the
wall time over the images of all processes, peak memory is that of one. Goals: the full setting (256 hidden, 100 epochs, all
features of MobileNetV2) at most 8 s an image at 47 x 63 nodes, the default setting at most 1.5 s; memory grows with the batch,
not with the number of images.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from dataclasses import replace

import torch
from rich.console import Console
from rich.table import Table

from bench import finish, machine, seconds
from wsss_stages.a2gnn import graph as graphs
from wsss_stages.a2gnn.propagate import Graph, Settings, train
from wsss_stages.config.options import Propagate
from wsss_stages.pairwise.windows import exists, offsets

FULL = {"hidden": 256, "features": 0, "epochs_first": 50, "epochs_second": 50}
FEATURES = 2816
"""Channels of MobileNetV2's last three blocks."""
SPARSE = 0.95
"""Threshold below which normal numbers become 0: 17 % do not, as in the maps of a trained MobileNetV2 on photographs."""
ROWS = [  # setting, nodes, images, in one batch, goal in seconds an image
    ("default", (47, 63), 1, 1, 1.5),
    ("default", (47, 63), 8, 1, 1.5),
    ("default", (47, 63), 8, 8, 1.5),
    ("default", (47, 126), 1, 1, None),
    ("default", (94, 126), 1, 1, None),
    ("full", (47, 63), 1, 1, 8.0),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="processes at once (default: all cores)")
    parser.add_argument("--row", type=int, help="measure one row and print it as JSON; used by the script itself")
    args = parser.parse_args()
    if args.row is not None:
        print(json.dumps(measure(*ROWS[args.row][:4], args.runs, args.device)))
        return
    cores = args.cores if args.device == "cpu" else 1
    print(f"{machine(args.device)}; {cores} processes")
    table = Table("setting", "nodes", "images each", "in a batch", "seconds an image", "goal", "peak GB")
    failed = False
    for number, (setting, (h, w), images, together, goal) in enumerate(ROWS):
        command = [sys.executable, __file__, "--row", str(number), "--runs", str(args.runs), "--device", args.device]
        environment = os.environ | {"OMP_NUM_THREADS": "1"} if args.device == "cpu" else None
        processes = [
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(cores)
        ]
        found = [json.loads(process.communicate()[0]) for process in processes]
        seconds_each = max(one["seconds"] for one in found) / cores
        failed |= goal is not None and seconds_each > goal
        numbers = (f"{h} x {w}", str(images), str(together), f"{seconds_each:.2f}", f"{goal or ''}")
        table.add_row(setting, *numbers, f"{max(one['gigabytes'] for one in found):.2f}")
    Console().print(table)
    finish(failed)


def measure(setting: str, nodes: tuple[int, int], images: int, together: int, runs: int, device: str) -> dict:
    opt = Propagate(**FULL) if setting == "full" else Propagate()
    settings, window = opt.fill(Settings), offsets(5, "disc")
    batch = [photograph(*nodes, window, number, device) for number in range(together)]

    def work():
        for _ in range(images // together):
            reduced = [Graph(**{**vars(g), "X": features(g.X, opt.features)}) for g in batch]
            train(reduced, window, settings)

    train(batch, window, replace(settings, epochs_first=1, epochs_second=1))  # compiles
    times = sorted(seconds(work, device) for _ in range(runs))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {"seconds": times[len(times) // 2] / images, "gigabytes": peak}


def features(X: torch.Tensor, count: int) -> torch.Tensor:
    h, w, d = X.shape
    return graphs.principal(X.view(-1, d), count).view(h, w, -1) if count else X


def photograph(h: int, w: int, window: list[tuple[int, int]], seed: int, device: str) -> Graph:
    """A graph as images give: two boxes, sparse rectified features, edges with gaps."""
    torch.manual_seed(seed)
    X = (torch.randn(h, w, FEATURES, device=device) - SPARSE).relu()
    E = torch.rand(len(window), h, w, device=device)
    E = E * (E > 0.3) * exists(h, w, window, device)
    E[window.index((0, 0))] = 1
    boxes = torch.zeros(2, h, w, dtype=torch.bool, device=device)
    boxes[0, h // 6 : h // 2, w // 6 : w // 2] = True
    boxes[1, h // 2 :, w // 3 : 2 * w // 3] = True
    seeds = torch.where(boxes[0], 1, torch.where(boxes[1], 2, 0))
    colour = torch.randn(3, h, w, device=device)
    rows = torch.tensor([1, 2], device=device)
    return Graph(f"image {seed}", X / X.sum(2, keepdim=True), E, colour, seeds, boxes, rows, 3, seed)


if __name__ == "__main__":
    main()
