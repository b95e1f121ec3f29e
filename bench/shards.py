"""Two shards of an image-wise stage at once against one after the other: the same bytes, in at most 0.6 of the time on two cores.

    python bench/shards.py [--scenes 24]

The stage is s3_seeds with CRF, on scenes and CAMs of a classifier that was trained for one epoch. Every
process has one thread.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import machine

ONE_THREAD = os.environ | {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


def command(stage: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", f"wsss_stages.stages.{stage}", *map(str, arguments)]


def prepared(folder: Path, scenes: int) -> list[list[str]]:
    """Index, classifier, CAMs and masks; the commands of s3_seeds on either shard, but for where they write."""
    index, box, weights = folder / "index.json", folder / "box" / "index.json", folder / "s1" / "weights.safetensors"
    demo = ("--kind", "scenes", "--scenes-train", scenes, "--scenes-val", 2, "--dataset", "bench")
    small = ("--backbone", "tiny", "--epochs", 1, "--crop", 96, "--batch-size", 4)
    cams, masks = ([folder / stage / "train" / f"{k}-of-2.json" for k in (1, 2)] for stage in ("s2_cam", "s3_masks"))
    for step in (
        command("data", "--root", folder / "dataset", "--index", index, *demo),
        command("weak_index", "--index", index, "--weak", "box", "--out", box),
        command("s1_classifier", "--index", box, "--weights", weights, *small),
        *(command("s2_cam", "--index", box, "--weights", weights, "--manifest", cam) for cam in cams),
        *(command("s3_masks", "--index", box, "--manifest", mask) for mask in masks),
    ):
        subprocess.run(step, check=True, env=ONE_THREAD, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pairs = zip(cams, masks, strict=True)
    return [command("s3_seeds", "--index", box, "--cam", cam, "--masks", mask) for cam, mask in pairs]


def timed(commands: list[list[str]], folder: Path, at_once: bool) -> float:
    """Seconds of all commands, whose manifests go to a folder."""
    start, running = time.perf_counter(), []
    for number, stage in enumerate(commands, 1):
        manifest = folder / "train" / f"{number}-of-2.json"
        running.append(
            subprocess.Popen([*stage, "--manifest", str(manifest)], env=ONE_THREAD, stderr=subprocess.DEVNULL)
        )
        if not at_once:
            running[-1].wait()
    if any([process.wait() for process in running]):
        sys.exit("a shard failed")
    return time.perf_counter() - start


def digests(folder: Path) -> dict[str, str]:
    """sha256 of every file but the records of how it was made, which tell the seconds."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".made.json"))
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=24, help="training images of both shards, at least 4")
    scenes = parser.parse_args().scenes
    with tempfile.TemporaryDirectory(prefix="bench_shards_") as temporary:
        folder = Path(temporary)
        stages = prepared(folder, scenes)
        one = timed(stages, folder / "one_by_one", at_once=False)
        two = timed(stages, folder / "at_once", at_once=True)
        same = digests(folder / "one_by_one") == digests(folder / "at_once")
    if not same:
        sys.exit("the shards made other bytes at once than one by one")
    print(f"{machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {scenes} scenes, the same bytes")
    print(f"one after the other {one:6.1f} s\nboth at once        {two:6.1f} s, {two / one:.2f} of it; goal 0.60")


if __name__ == "__main__":
    main()
