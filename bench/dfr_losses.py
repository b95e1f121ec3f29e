"""Losses of DFR: what they add to an iteration of training, in time and memory.

    python bench/dfr_losses.py --help

The peer is the same iteration with partial cross-entropy alone (Eq. 4.2). Goals: the losses between pixels add at most 20 % to it, and
the iteration stays below 10 GB on a CPU; 128 features of 11 x 11 neighbours laid out beside each other would take 2 GB alone.
"""

import argparse
import resource
import statistics
from dataclasses import replace

import torch
from rich.console import Console
from rich.table import Table

from bench import finish, machine, seconds
from wsss_stages import UNKNOWN
from wsss_stages.config.options import Dfr
from wsss_stages.dfr.iteration import Settings, losses, regularised
from wsss_stages.dfr.net import DfrNet
from wsss_stages.nets import backbones

SHARE, GIGABYTES = 0.2, 10.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="swin_tiny_patch4_window7_224")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--crop", type=int, default=512)
    parser.add_argument("--channels", type=int, default=512)
    parser.add_argument("--features", type=int, default=128)
    parser.add_argument("--classes", type=int, default=21)
    parser.add_argument("--runs", type=int, default=1, help="after one that warms up")
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    torch.manual_seed(0)
    terms = Dfr(features=args.features).fill(Settings)
    body = backbones.pyramid(args.backbone, pretrained=True)
    network = DfrNet(body, args.classes, args.channels, args.features).to(args.device).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-6)
    image, labels, valid = batch(args)
    x = backbones.normalise(image)
    with torch.no_grad():
        logits, features = network.both(x)
    logits, features = (m.float().requires_grad_() for m in (4 * logits, features))

    def pairs() -> None:
        sum(regularised(logits, features, x, labels, valid, terms, 1.0).values()).backward()

    def iteration(terms: Settings) -> None:
        network.zero_grad(set_to_none=True)
        sum(losses(network, image, labels, valid, terms).values()).backward()
        optimizer.step()

    alone = replace(terms, dfr_weight=0.0)
    ways = {
        "losses between pixels": pairs,
        "partial cross-entropy": lambda: iteration(alone),
        "DFR": lambda: iteration(terms),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    memory = {}
    for run in range(args.runs + 1):
        for name, work in ways.items():
            took = seconds(work, args.device)
            memory.setdefault(name, peak(args.device))
            if run:  # the first warms up
                times[name].append(took)
    medians = {name: statistics.median(runs) for name, runs in times.items()}
    share = medians["losses between pixels"] / medians["partial cross-entropy"]
    table = Table("", "seconds", "over cross-entropy alone", "goal", "peak GB so far", "goal")
    for name, took in medians.items():
        of_time = (f"{share:.0%}", f"{SHARE:.0%}") if name == "losses between pixels" else ("", "")
        table.add_row(name, f"{took:.2f}", *of_time, f"{memory[name]:.1f}", f"{GIGABYTES:g}" if name == "DFR" else "")
    print(f"{machine(args.device)}; {args.backbone}, batch {args.batch}, crop {args.crop}, {args.channels} channels")
    Console().print(table)
    finish(share > SHARE or memory["DFR"] > GIGABYTES)


def batch(args) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Smooth pictures, three scribbles on each, nothing padded."""
    small = torch.rand(args.batch, 3, 16, 16)
    image = torch.nn.functional.interpolate(small, (args.crop,) * 2, mode="bilinear", align_corners=False)
    labels = torch.full((args.batch, args.crop, args.crop), UNKNOWN, dtype=torch.uint8)
    for number in range(3):
        y = (number + 1) * args.crop // 4
        labels[:, y : y + 3, args.crop // 8 : -args.crop // 8] = number
    valid = torch.ones(labels.shape, dtype=torch.bool)
    return image.to(args.device), labels.to(args.device), valid.to(args.device)


def peak(device: str) -> float:
    """Gigabytes that the process has taken at most, on its device."""
    if device == "cpu":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return torch.cuda.max_memory_allocated(device) / 1e9


if __name__ == "__main__":
    main()
