"""Seconds to notice that a dataset's folder has changed, and that a finished shard lost an artifact.

    python bench/listing.py

Folders of empty files stand for photographs, a million of them in one folder, and for one artifact of each. Every row is the median of
three runs in one process after the files were made, so that the file system's cache is warm: what is timed are the system calls and
Python. Goals: 0.3 s for 10,000 photographs, 15 s for a million.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from wsss_stages.data import changes
from wsss_stages.data.hashes import stable_hash
from wsss_stages.shards.lost import lost
from wsss_stages.store import artifacts

GOALS = {10_000: 0.3, 1_000_000: 15.0}
RUNS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=list(GOALS))
    args = parser.parse_args()
    table = Table("photographs", "what", "wall s", "CPU s", "goal s")
    failed = False
    for images in args.images:
        with tempfile.TemporaryDirectory(prefix="wsss_listing_") as name:
            folder = Path(name)
            shards = -(-images // 2000)
            made_up(folder, images, shards)
            look = partial(lost, folder / "s3_seeds", shards)
            rows = {
                "listing of the folder": seconds(
                    partial(changes.listing, folder / "dataset"), changes.listing.cache_clear
                ),
                "artifacts, none lost": seconds(look, lost.cache_clear),
            }
            (folder / "s3_seeds" / "seeds" / f"{image(7)}.png").unlink()
            rows["artifacts, one lost"] = seconds(look, lost.cache_clear)
            if len(look()) != 1:
                sys.exit("the lost artifact was not found")
        for what, (wall, cpu) in rows.items():
            goal = GOALS.get(images) if what != "artifacts, one lost" else None
            failed |= goal is not None and wall > goal
            table.add_row(f"{images:,}", what, f"{wall:.2f}", f"{cpu:.2f}", str(goal or ""))
    from bench import finish, machine

    print(machine())
    Console().print(table)
    finish(failed)


def made_up(folder: Path, images: int, shards: int) -> None:
    """A folder of photographs without bytes, and manifests of artifacts of one byte each."""
    for name in ("dataset/JPEGImages", "s3_seeds/seeds"):
        (folder / name).mkdir(parents=True)
    items: list[dict] = [{} for _ in range(shards)]
    for number in range(images):
        name = image(number)
        os.mknod(folder / "dataset" / "JPEGImages" / f"{name}.jpg")
        file = os.open(folder / "s3_seeds" / "seeds" / f"{name}.png", os.O_CREAT | os.O_WRONLY)
        os.write(file, b"x")
        os.close(file)
        items[stable_hash(name) % shards][name] = {"seeds": [f"seeds/{name}.png", f"{number:064x}"]}
    time.sleep(0.1)  # the clock of a file system is coarse: manifests are younger than the folders
    for k, of_shard in enumerate(items, 1):
        content = {"manifest": 1, "contracts": {"seeds": 1}, "items": of_shard, "notes": {}, "options": {}}
        artifacts.write_sealed(folder / "s3_seeds" / f"{k}-of-{shards}.json", content)


def image(number: int) -> str:
    return f"image_{number:07d}"


def seconds(work: Callable[[], object], forget: Callable[[], None]) -> tuple[float, float]:
    """Median wall and processor time of the work, done anew each time."""
    took = []
    for _ in range(RUNS):
        forget()
        began = time.perf_counter(), time.process_time()
        work()
        took.append((time.perf_counter() - began[0], time.process_time() - began[1]))
    wall, cpu = zip(*took, strict=True)
    return statistics.median(wall), statistics.median(cpu)


if __name__ == "__main__":
    main()
