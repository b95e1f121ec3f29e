"""A²GNN of a batch of images that fills a GPU, all losses: seconds an image of the default and of the full setting.

    python bench/propagate_gpu.py --help

Goal: at most 60 ms an image in both settings (47 x 63 nodes; full: 256 hidden, 100 epochs, all features of MobileNetV2).
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from propagate import FULL, features, photograph
from rich.console import Console
from rich.table import Table

from bench import finish, machine, record, seconds
from wsss_stages.a2gnn.propagate import Graph, Settings, train
from wsss_stages.config.options import Propagate
from wsss_stages.pairwise.windows import offsets
from wsss_stages.roads.propagate import nodes_at_once
from wsss_stages.stages import devices

GOAL = 0.060
"""Seconds an image."""
MOST = 64
"""Most images in a batch: those of a shard of VOC 2012 in 160 shards."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, nargs=2, default=(47, 63), help="height and width of the grid")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="few nodes and epochs and no goal: shows that it runs")
    parser.add_argument("--seconds", type=Path, help="file that gets the seconds of an image")
    args = parser.parse_args()
    short = {"epochs_first": 1, "epochs_second": 1} if args.tiny else {}
    h, w = (17, 18) if args.tiny else args.nodes
    device = devices.pick(args.device)
    window = offsets(5, "disc")
    images = max(1, min(MOST, nodes_at_once(device) // (h * w)))
    graphs = [photograph(h, w, window, number, device) for number in range(images)]
    table, failed = Table("setting", "images at once", "seconds an image", "goal", "peak GB"), False
    for name, options in (("default", short), ("full", FULL | short)):
        opt = Propagate(**options)
        settings = opt.fill(Settings)
        train(graphs[:1], window, replace(settings, epochs_first=1, epochs_second=1))  # plans, compiles

        def work(opt=opt, settings=settings):
            train([Graph(**{**vars(g), "X": features(g.X, opt.features)}) for g in graphs], window, settings)

        if device != "cpu":
            torch.cuda.reset_peak_memory_stats(device)
        each = seconds(work, device) / images
        peak = torch.cuda.max_memory_allocated(device) / 1e9 if device != "cpu" else 0.0
        failed |= each > GOAL and not args.tiny
        table.add_row(name, str(images), f"{each:.4f}", f"{GOAL}", f"{peak:.1f}")
        record(args.seconds, **{f"propagate_{name}": each})
    print(f"{machine(device)}; {h} x {w} nodes")
    Console().print(table)
    finish(failed)


if __name__ == "__main__":
    main()
