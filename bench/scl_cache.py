"""Episodes per second of SCL's training with maps made once per image and with the backbone in every step.

    python bench/scl_cache.py --help

Both sides take the same steps of the same training: photographs are read and fitted in one, maps in half precision in the other.
Goal: with the maps at least three times as many episodes on ResNet-50, the thesis's backbone; a small one costs little beside the heads.
"""

import argparse
import contextlib
import io
import statistics
import tempfile
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from bench import finish, machine, seconds
from wsss_stages.config import options
from wsss_stages.data.few_shot import episodes
from wsss_stages.data.few_shot.episode_pools import Drawer
from wsss_stages.data.few_shot.squares import image_on_square
from wsss_stages.data.index import Index
from wsss_stages.nets import backbones
from wsss_stages.scl.head import Maps
from wsss_stages.scl.losses import Settings, losses
from wsss_stages.shards.frozen_maps import Frozen
from wsss_stages.stages import data, scl_features
from wsss_stages.training.batches import collate
from wsss_stages.training.networks import build_few_shot, build_frozen

IMAGES = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="resnet50", help="with random weights; they take the same time")
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    table = Table("", "episodes a second, backbone in every step", "with maps", "ratio", "goal")
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            index, manifest = prepared(root, args)
        for baseline in ("canet", "pfenet"):
            slow, fast = rates(index, manifest, baseline, args)
            failed |= fast / slow < 3
            table.add_row(baseline, f"{slow:.2f}", f"{fast:.2f}", f"{fast / slow:.1f}x", "3x")
    print(f"{machine(args.device)}; {args.backbone}, side {args.side}, d {args.channels}, batch {args.batch}")
    Console().print(table)
    finish(failed)


def prepared(root: Path, args) -> tuple[Index, Path]:
    """A few of the demo's scenes, and their maps."""
    argv = ["--root", root / "scenes", "--index", root / "index.json", "--kind", "scenes", "--scenes-train", IMAGES]
    data.main([str(a) for a in argv])
    manifest = root / "1-of-1.json"
    argv = ["--index", root / "index.json", "--manifest", manifest, "--backbone", args.backbone, "--side", args.side]
    scl_features.main([str(a) for a in (*argv, "--device", args.device)])
    return Index.read(root / "index.json"), manifest


def rates(index: Index, manifest: Path, baseline: str, args) -> tuple[float, float]:
    """Episodes a second, without and with maps; medians of alternating steps."""
    backbone, _ = build_frozen(args.backbone, 8, "none")
    opt = options.Scl(
        baseline=baseline, channels=args.channels, standardise=0, prior="deep", feature_dropout=0
    )  # as released
    network = build_few_shot(backbone, opt).to(args.device, memory_format=torch.channels_last).train()
    weights = opt.fill(Settings)
    optimizer = torch.optim.AdamW(network.head.parameters(), opt.lr)
    frozen = Frozen(index, [manifest], network.head.deep)
    drawing = options.SclEpisodes(
        min_pixels=200, shots=1, held_out=0.4, test_pairs=1, train_pairs=args.batch * args.steps
    )
    pool = episodes.draw_fold(index, 0, drawing.fill(episodes.Settings)).train
    drawer, rng = Drawer(pool, opt.balanced, opt.several, opt.negative), np.random.default_rng(0)
    drawn = [drawer.draw(rng) for _ in range(drawing.train_pairs)]

    def images(some: list, part: str) -> list[str]:
        return [e.query if part == "query" else e.supports[0] for e in some]

    def from_photographs(names: list[str]) -> Maps:
        squares = [image_on_square(index.records[name].image(index.root), args.side) for name in names]
        return network.encode(backbones.normalise(torch.from_numpy(np.stack(squares)).to(args.device)))

    def from_maps(names: list[str]) -> Maps:
        found = collate([frozen.maps(name) for name in names])
        return Maps.stored(*(m.to(args.device) for m in found.values()))

    def step(some: list, maps_of) -> None:
        given = []
        for part in ("query", "support"):
            masks = np.stack([frozen.mask(i, e.cls) for i, e in zip(images(some, part), some, strict=True)])
            given += [maps_of(images(some, part)), torch.from_numpy(masks).to(args.device)]
        optimizer.zero_grad()
        sum(losses(network, *given, weights).values()).backward()
        optimizer.step()

    times: dict = {from_photographs: [], from_maps: []}
    for at in range(0, len(drawn), args.batch):
        for way, took in times.items():
            took.append(seconds(lambda some=drawn[at : at + args.batch], way=way: step(some, way), args.device))
    slow, fast = (args.batch / statistics.median(took[1:]) for took in times.values())  # the first warms up
    return slow, fast


if __name__ == "__main__":
    main()
