"""Reliable regions of a training batch (Eqs. 2.3-2.7): what the CRF costs an iteration of RRM.

    python bench/rrm_regions.py --help

The peer is two CRFs of pydensecrf an image, one for either background, as the thesis's 4.86 s an iteration have them (1.53 s
without). Goal: on one thread at least three times as fast.
"""

import argparse
import itertools
import statistics
from dataclasses import replace

import cv2
import numpy as np
import pydensecrf.densecrf as peer
import torch
from pydensecrf.utils import unary_from_softmax
from rich.console import Console
from rich.table import Table
from skimage import data

from bench import finish, machine, seconds
from wsss_stages.config.options import Mining
from wsss_stages.labels import reliable
from wsss_stages.labels.cam import enlarge, with_background
from wsss_stages.rrm.reliable import reliable_regions

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop", type=int, default=321)
    parser.add_argument("--classes", type=int, nargs="+", default=(1, 3), help="of an image, without background")
    parser.add_argument("--iterations", type=int, default=10)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    photos = [
        cv2.resize(getattr(data, name)(), (args.crop, args.crop), interpolation=cv2.INTER_AREA)
        for name in itertools.islice(itertools.cycle(PHOTOGRAPHS), args.batch)
    ]
    image = torch.from_numpy(np.stack(photos)).permute(0, 3, 1, 2).to(args.device) / 255
    valid = torch.ones(args.batch, args.crop, args.crop, dtype=torch.bool, device=args.device)
    table = Table("classes", "", "seconds an iteration", "of it CRF", "peer over it", "goal")
    failed = False
    for k in args.classes:
        cams = [smooth(k, args.crop // 8 + 1, seed).to(args.device) for seed in range(args.batch)]
        classes = [torch.arange(1, k + 1, device=args.device)] * args.batch

        def ours(iterations: int, step: int, cams=cams, classes=classes):
            opt = Mining(thresholds="fixed", gamma_high=32, min_cam=0.1).fill(reliable.Mining)
            opt = replace(opt, crf=replace(opt.crf, iterations=iterations, step=step))
            return reliable_regions(image, valid, cams, classes, opt, [str(i) for i in range(args.batch)])

        def theirs(cams=cams):
            for photo, cam in zip(photos, cams, strict=True):
                cam = enlarge(cam.cpu().numpy(), args.crop, args.crop)
                for gamma in (4, 32):
                    pydensecrf(photo, with_background(cam, gamma), args.iterations)

        ways = {
            "without CRF": lambda: ours(0, 1),
            "ours": lambda: ours(args.iterations, 1),
            "ours, one pixel of 4": lambda: ours(args.iterations, 2),
            "pydensecrf": theirs,
        }
        times = {name: [] for name in ways}
        for run in range(args.runs + 1):
            for name, work in ways.items():
                took = seconds(work, args.device)
                if run:  # the first warms up
                    times[name].append(took)
        medians = {name: statistics.median(runs) for name, runs in times.items()}
        for name, took in medians.items():
            ratio = medians["pydensecrf"] / took
            failed |= name == "ours" and args.device == "cpu" and torch.get_num_threads() == 1 and ratio < 3
            extra = "" if name == "pydensecrf" else f"{took - medians['without CRF']:.3f}"
            table.add_row(str(k), name, f"{took:.3f}", extra, f"{ratio:.1f}x", "3x" if name == "ours" else "")
    print(f"{machine(args.device)}; batch {args.batch}, crop {args.crop}, {args.iterations} iterations")
    Console().print(table)
    finish(failed)


def smooth(classes: int, side: int, seed: int) -> torch.Tensor:
    """A CAM of one bump a class."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    rows = [np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 0.05) for cy, cx in rng.uniform(0.2, 0.8, (classes, 2))]
    return torch.from_numpy(np.stack(rows).astype(np.float32))


def pydensecrf(image: np.ndarray, scores: np.ndarray, iterations: int) -> np.ndarray:
    c, h, w = scores.shape
    opt = Mining().crf
    crf = peer.DenseCRF2D(w, h, c)
    crf.setUnaryEnergy(np.ascontiguousarray(unary_from_softmax(scores / scores.sum(axis=0))))
    crf.addPairwiseGaussian(sxy=opt.gaussian_xy, compat=opt.gaussian_weight)
    crf.addPairwiseBilateral(
        sxy=opt.bilateral_xy, srgb=opt.bilateral_rgb, rgbim=np.ascontiguousarray(image), compat=opt.bilateral_weight
    )
    return np.array(crf.inference(iterations))


if __name__ == "__main__":
    main()
