"""A million images: what snakemake -n, the plan, a shard's reading and the evaluation of them take in time and memory.

    python bench/scale.py --plan weak=scribble variant=dfr

The index is made up: a million ids for the photographs of a few of the demo's scenes; so are the manifests of s3_seeds, whose label
maps are there of the first hundred images, which alone have a true mask. Every row is one process, with its wall and processor
time and its peak memory as the kernel reports them. Goals: 2 minutes and 2 GB for snakemake -n; 1 GB for what reads the
index; the stages that a plan measures on a few images take what they take.
"""

import argparse
import math
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from wsss_stages.data import index_file
from wsss_stages.data.hashes import stable_hash
from wsss_stages.data.index import Index, Record
from wsss_stages.store import artifacts, contracts

ROOT = Path(__file__).parents[1]
SCENES, WITH_TRUTH = 24, 100
SHARD = """
import sys
from wsss_stages.data.index import Index
print(len(Index.read(sys.argv[1]).shard("train", sys.argv[2])), "images")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--shards", type=int, default=500)
    parser.add_argument(
        "--plan", nargs="+", default=["weak=box"], metavar="KEY=VALUE", help="settings of the plan alone"
    )
    args = parser.parse_args()
    table = Table("", "wall s", "CPU s", "peak GB", "goal s", "goal GB")
    failed = False
    with tempfile.TemporaryDirectory(prefix="wsss_scale_") as name:
        folder = Path(name)
        index = folder / "results" / "made_up"
        maker = multiprocessing.get_context("spawn").Process(target=made_up, args=(folder, args.images, args.shards))
        maker.start()  # a process of its own, for the peaks of later ones begin at this one's
        maker.join()
        if maker.exitcode:
            sys.exit("the images could not be made up")
        whole, box = index / "index.json", index / "box" / "index.json"
        size = whole.stat().st_size / 1e9
        manifests = [str(path) for path in sorted((folder / "s3_seeds").glob("*-of-*.json"))]
        stage = "wsss_stages.stages."
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")  # so that the first plan has to measure
        plan = ["-m", "wsss_stages.commands.plan", "--index", whole, "--cores", "2", "--config", *args.plan]
        rows: list[tuple[str, list[str], float | None, float | None]] = [
            ("snakemake -n", ["-m", "snakemake", "-n", "--cores", "2", "--nocolor"], 120, 2),
            ("the index of boxes", ["-m", f"{stage}weak_index", "--index", whole, "--weak", "box", "--out", box], None, 1),
            ("a shard's part of the index", ["-c", SHARD, whole, f"3-of-{args.shards}"], None, 1),
            (
                "s9_evaluate",
                ["-m", f"{stage}s9_evaluate", "--index", whole, "--split", "train", "--scores", folder / "scores.json", "--manifests", *manifests],
                None,
                1,
            ),
            ("plan, with the stages it measures", plan, None, None),
            ("plan of known costs", plan, None, 1),
        ]  # fmt: skip
        for what, line, seconds, gigabytes in rows:
            took = measured([str(word) for word in line], folder)
            failed |= took[2] > (gigabytes or math.inf) or took[0] > (seconds or math.inf)
            table.add_row(what, *(f"{value:.2f}" for value in took), str(seconds or ""), str(gigabytes or ""))
    from bench import finish, machine  # not before: it loads torch, and the peaks of processes begin at this one's

    print(f"{machine()}; {args.images} images in {args.shards} shards, index.json of {size:.2f} GB")
    Console().print(table)
    finish(failed)


def made_up(folder: Path, images: int, shards: int) -> None:
    """A project in the folder whose dataset `made_up` has so many images."""
    for name in ("Snakefile", "workflow", "envs"):
        (folder / name).symlink_to(ROOT / name)
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    demo = yaml.safe_load((ROOT / "workflow" / "runs" / "demo.yaml").read_text())
    del demo["data"]
    (folder / "config.yaml").write_text(
        yaml.safe_dump(config | demo | {"dataset": "made_up", "dataset_root": str(folder / "scenes"), "shards": shards})
    )
    argv = ["--root", folder / "scenes", "--index", folder / "scenes.json", "--kind", "scenes"]
    argv += ["--scenes-train", SCENES, "--scenes-val", 2]
    measured(["-m", "wsss_stages.stages.data", *map(str, argv)], folder)
    scenes = Index.read(folder / "scenes.json")
    where, train = folder / "results" / "made_up", images * 9 // 10
    header = {
        "dataset": "made_up",
        "root": str(scenes.root),
        "weak": "",
        "classes": scenes.classes,
        "notes": {},
        "splits": {"train": train, "val": images - train},
    }
    index_file.write(where / "index.json", header, records(list(scenes.split("train")), images))
    manifests(folder / "s3_seeds", list(scenes.split("train")), scenes.root, train, shards)


def image(number: int) -> str:
    return f"image_{number:07d}"


def records(scenes: list[Record], images: int) -> Iterator[Record]:
    for number in range(images):
        scene = scenes[number % len(scenes)]
        yield replace(scene, id=image(number), truth=scene.truth if number < WITH_TRUTH else None)


def manifests(folder: Path, scenes: list[Record], root: Path, images: int, shards: int) -> None:
    """Write manifests of s3_seeds, whose seeds are the truth of the first images, and files that nobody opens for the others."""
    items: list[dict] = [{} for _ in range(shards)]
    for number in range(images):
        file, sha = f"seeds/{image(number)}.png", f"{number:064x}"
        if number < WITH_TRUTH:
            label = scenes[number % len(scenes)].truth_labels(root)
            artifacts.write(folder / file, contracts.SEEDS, {"label": label}, {"notes": {}})
            sha = artifacts.sha256(folder / file)
        items[stable_hash(image(number)) % shards][image(number)] = {"seeds": [file, sha]}
    for k, of_shard in enumerate(items, 1):
        content = {"manifest": 1, "items": of_shard, "notes": {}, "options": {}}
        artifacts.write_sealed(folder / f"{k}-of-{shards}.json", content)


def measured(line: list[str], folder: Path) -> tuple[float, float, float]:
    """Wall and processor seconds and peak gigabytes of a Python process; what it says is in its log in the folder."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen([sys.executable, *line], cwd=folder, stdout=said, stderr=said, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read()
        if process.returncode:
            sys.exit(f"{' '.join(line[:3])} failed:\n{text[-5000:]}")
    took = time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e9
    cost = f"# {took[0]:.1f} s, {took[1]:.1f} s of processors, {took[2]:.2f} GB"
    print("\n".join([f"$ {' '.join(line[:8])} ...", *text.splitlines()[-22:], cost]), flush=True)
    return took


if __name__ == "__main__":
    main()
