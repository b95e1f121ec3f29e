"""Multi-scale CAM inference as a share of what a plain matrix product reaches on the same device, in the same precision.

    python bench/cam.py --device cuda --backbone resnet50 --batch 20

Goal on a GPU: at least 40 % of the matrix product's operations a second. Random weights cost what trained ones do.
"""

import argparse
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch.utils.flop_counter import FlopCounterMode

from bench import finish, machine, record, seconds
from wsss_stages.config.options import Cam
from wsss_stages.labels.cam import multi_scale
from wsss_stages.stages import devices
from wsss_stages.training.networks import build_classifier


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="mobilenet_v2")
    parser.add_argument("--size", type=int, nargs=2, default=(375, 500), help="height and width")
    parser.add_argument("--batch", type=int, default=1, help="images of one size at once")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tiny", action="store_true", help="small images and no goal: shows that it runs")
    parser.add_argument("--seconds", type=Path, help="file that gets the seconds of an image")
    args = parser.parse_args()
    if args.tiny:
        args.size, args.batch, args.runs = (32, 40), 2, 1
    devices.pick(args.device)  # the product in TF32 too, as convolutions are
    network, _ = build_classifier("cam", args.backbone, 16, 20, "none", 0)
    network = network.eval().to(args.device, memory_format=torch.channels_last)
    images = torch.randn(args.batch, 3, *args.size, device=args.device)
    classes = [torch.tensor([1, 2], device=args.device)] * args.batch
    opt = Cam()

    @torch.no_grad()
    def cams():
        return multi_scale(network.cam, images, classes, opt.scales, opt.flip, 16, network.backbone.grids[-1])

    with FlopCounterMode(display=False) as counter:
        cams()
    devices.move(network, args.device)  # from now on in buckets of sizes, whose padding is no operation that counts
    side = 2048 if args.device == "cpu" else 8192
    cams()
    a, b = (torch.randn(side, side, device=args.device) for _ in range(2))
    a @ b
    ours = sorted(seconds(cams, args.device) for _ in range(args.runs))[args.runs // 2]
    plain = sorted(seconds(lambda: a @ b, args.device) for _ in range(args.runs))[args.runs // 2]
    reached, possible = counter.get_total_flops() / ours, 2 * side**3 / plain
    table = Table("", "seconds", "Gflop", "Gflop/s", "share", "goal on a GPU")
    table.add_row(
        "plain matrix product", f"{plain:.4f}", f"{2 * side**3 / 1e9:.1f}", f"{possible / 1e9:.0f}", "100 %", ""
    )
    row = (f"{ours:.4f}", f"{counter.get_total_flops() / 1e9:.1f}", f"{reached / 1e9:.0f}")
    table.add_row(f"CAM, {args.backbone}", *row, f"{100 * reached / possible:.0f} %", "40 %")
    print(
        f"{machine(args.device)}; {args.batch} x {args.size[1]} x {args.size[0]} pixels, scales {opt.scales}, mirrored: {opt.flip}"
    )
    Console().print(table)
    record(args.seconds, **{f"cam_{args.backbone}": ours / args.batch})
    finish(args.device != "cpu" and reached < 0.4 * possible)


if __name__ == "__main__":
    main()
