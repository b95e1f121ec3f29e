"""Estimates of the cost of every stage of a run, from measurements on a few images."""

import hashlib
import json
import os
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from wsss_stages.commands.plan.measure import Cost, calibrate, run
from wsss_stages.commands.plan.sample import batches, choose, pixels, walked
from wsss_stages.config import options, variants
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.index import Index
from wsss_stages.data.weak.completeness import missing
from wsss_stages.store import artifacts


@dataclass
class Line:
    """The estimated cost of one stage in a run."""

    stage: str
    jobs: int
    units: int
    what: str
    hours: float
    """Wall time of the stage, its jobs on all cores."""
    gigabytes: float
    disk: float
    """Gigabytes."""


def plan(config: dict, cores: int, again: bool = False, made: Path | None = None, target: str = "all") -> list[Line]:
    """Return the cost of every stage of a target, `all` or `instances`, for the configured variant, from scratch.

    `made`: the dataset's index, if it exists.
    """
    with tempfile.TemporaryDirectory(prefix="wsss_plan_") as folder:
        scratch = Path(folder)
        path = made or _made(config, scratch)
        index = _index(config, path)
        sample = choose(config, index)
        measured = _cache(config, sample, cores, target)
        if again or not measured.exists():
            sys.stdout.write(f"measuring {len(sample.splits['train'])} images on this machine ...\n")
            opening = _opening(path)
            costs = [
                replace(cost, start=cost.start + opening) for cost in calibrate(config, sample, cores, scratch, target)
            ]
            measured.parent.mkdir(parents=True, exist_ok=True)
            artifacts.write_json(measured, [asdict(cost) for cost in costs])
        return _lines(measured, config, index, sample, cores)


def known(config: dict, cores: int, made: Path) -> list[Line] | None:
    """Return the cost of every stage where it has been measured on this machine; None where it has not.

    `made`: the dataset's index.
    """
    index = _index(config, made)
    sample = choose(config, index)
    measured = _cache(config, sample, cores)
    return _lines(measured, config, index, sample, cores) if measured.exists() else None


def _lines(measured: Path, config: dict, index: Index, sample: Index, cores: int) -> list[Line]:
    costs = [Cost(**cost) for cost in json.loads(measured.read_text())]
    return [_line(cost, config, index, sample, cores) for cost in costs]


def _made(config: dict, scratch: Path) -> Path:
    """Return the whole index, made by the stage itself, so that a faulty dataset is reported here."""
    root, path = config["dataset_root"] or str(scratch / "dataset"), scratch / "index.json"
    sys.stdout.write(f"reading the dataset {root} ...\n")
    command = ["data", "--root", root, "--index", str(path), "--dataset", config["dataset"]]
    run(command, variants.section(config, "data"), 1)
    return path


def _index(config: dict, path: Path) -> Index:
    index = Index.read(path)
    if findings := missing(index, config["weak"]):
        raise DatasetError(findings)
    return index.with_weak(config["weak"])


def _opening(path: Path) -> float:
    """Return the seconds that every job takes to open the whole index."""
    began = time.monotonic()
    Index.read(path)
    return time.monotonic() - began


def _cache(config: dict, sample: Index, cores: int, target: str = "all") -> Path:
    """Return the file with this machine's costs of these images under these options."""
    sections = {name: variants.section(config, name, config["variant"]) for name in options.SECTIONS}
    known = [sections, sample.splits, config["backbone_weights"], config["device"], cores, _machine()]
    known += [] if target == "all" else [target]
    name = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "wsss_stages" / f"plan_{name}.json"


def _machine() -> list[str]:
    return [*os.uname()[1:3], str(os.cpu_count())]


def _line(cost: Cost, config: dict, index: Index, sample: Index, cores: int) -> Line:
    if cost.split is None:
        section = variants.section(config, cost.section, config["variant"])
        steps = batches(index, cost.stage, section) * section["epochs"]
        return Line(
            cost.stage, 1, steps, "steps", (cost.start + steps * cost.unit) / 3600, cost.gigabytes, cost.megabytes / 1e3
        )
    images, jobs = len(index.splits[cost.split]), config["shards"]
    if cost.stage == "s5_walk":
        images, jobs = walked(config, index), 1
    if cost.stage == "s6_instance_masks":
        jobs = 1
    larger = pixels(index, cost.split) / pixels(sample, cost.split)
    rounds = -(-jobs // cores)
    hours = rounds * (cost.start + images / jobs * larger * cost.unit) / 3600
    return Line(cost.stage, jobs, images, "images", hours, cost.gigabytes, images * larger * cost.megabytes / 1e3)
