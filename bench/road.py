"""VOC 2012's box road up to its pseudo labels, 10,582 images, projected from the seconds an image that bench/gpu.sh has measured.

    python bench/road.py --seconds bench_gpu/seconds.jsonl --device cuda

Goal: at most 60 minutes. Measured are CAMs (8 views), A²GNN and CRF on the device, and here GrabCut on a core. The rest follows from the CAMs:
their views have 15 times the pixels of the image, a training pass costs three forward passes on crops of 448 x 448 pixels. GrabCut is counted as if
nothing ran beside it. Reading, writing and the starts of jobs are not in it.
"""

import argparse
import json
import os
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table
from skimage import data

from bench import finish, machine, seconds
from wsss_stages.labels import grabcut

IMAGES, BOXES, EPOCHS = 10_582, 2.5, 8
"""Of VOC 2012 with SBD; boxes an image; epochs of the classifier's training and of the affinity CNN's (Sec. 3.4)."""
VIEWS = 15.0
"""Pixels of all views of the CAMs over those of the image: 2 (0.25 + 1 + 2.25 + 4)."""
CROP = 448 * 448 / (375 * 500)
GOAL = 60.0
"""Minutes."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=Path, required=True, help="what the other benchmarks have recorded")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="a small image and no goal: shows that it runs")
    args = parser.parse_args()
    found: dict[str, float] = {}
    for line in args.seconds.read_text().splitlines():
        found |= json.loads(line)
    failed, side = False, 48 if args.tiny else 500
    box = grabcut_seconds(side) / args.cores
    table = Table("backbone", "stage", "seconds an image", "minutes")
    for name in sorted(name for name in found if name.startswith("cam_")):
        of_stage = stages(found[name], found["propagate_default"], found["crf"], box)
        for stage, each in of_stage.items():
            table.add_row(name.removeprefix("cam_"), stage, f"{each:.4f}", f"{each * IMAGES / 60:.1f}")
        total = sum(of_stage.values()) * IMAGES / 60
        failed |= total > GOAL and not args.tiny
        table.add_row(name.removeprefix("cam_"), "all, goal 60 minutes", "", f"{total:.1f}", end_section=True)
    print(f"{machine(args.device)}; {IMAGES} images, {args.cores} cores")
    Console().print(table)
    finish(failed)


def stages(cam: float, propagate: float, crf: float, box: float) -> dict[str, float]:
    """Return the seconds an image of every stage.  cam, propagate, crf: of an image.  box: of GrabCut in one, over all cores."""
    forward = cam / VIEWS
    training = 3 * CROP * forward * EPOCHS
    return {
        "s1_classifier": training,
        "s2_cam": cam,
        "s3_masks": BOXES * box,
        "s3_seeds": crf,
        "s4_affinity": training,
        "s5_graph": forward,
        "s6_propagate": forward + propagate + crf,
    }


def grabcut_seconds(side: int) -> float:
    """Return the seconds of GrabCut in a box of half of an image's sides."""
    image = cv2.resize(data.chelsea(), (side, 3 * side // 4), interpolation=cv2.INTER_AREA)
    h, w = image.shape[:2]
    boxes = np.array([[w // 4, h // 4, 3 * w // 4, 3 * h // 4]])
    return seconds(lambda: grabcut.foregrounds(image, boxes, 5, 3, 0.15, 0))


if __name__ == "__main__":
    main()
