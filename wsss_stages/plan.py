"""What a run will cost, before it runs: jobs, hours, disk and memory of every stage.

    python -m wsss_stages.plan --configfile mine.yaml --config dataset_root=FOLDER backbone_weights=FILE --cores 4

takes what `snakemake` takes. The first time a few images go through every stage on this machine, which takes some minutes;
what an image or a training step costs is then known and kept in the cache folder. `--again` measures anew.
"""

import argparse
import hashlib
import heapq
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from wsss_stages import artifacts, configuration, options
from wsss_stages.data.enough import missing
from wsss_stages.data.findings import DatasetError
from wsss_stages.data.index import Index, Record, stable_hash
from wsss_stages.stages import cli

SECTIONS = {"s1_classifier": "classifier", "s2_cam": "cam", **configuration.STAGES}
"""Config section of every stage."""
VAL_IMAGES = 2
LOOKED_AT = 10_000
"""Records of a split that means of pixels and boxes are taken over."""
EPOCHS = 3
"""A training is timed for one epoch of the sample and for so many."""


class PlanError(ValueError):
    """A stage that fails on a few images would fail in the run."""


@dataclass
class Cost:
    """What one stage costs on this machine."""

    stage: str
    section: str
    split: str | None
    """None for a training."""
    start: float
    """Seconds of a job before its first image or step."""
    unit: float
    """Seconds of an image, or of a training step."""
    gigabytes: float
    """Peak memory of a job."""
    megabytes: float
    """On disk, an image or a training."""


@dataclass
class Line:
    """What one stage costs in a run."""

    stage: str
    jobs: int
    units: int
    what: str
    hours: float
    """Wall time of the stage, its jobs on all cores."""
    gigabytes: float
    disk: float
    """Gigabytes."""


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--configfile", type=Path, nargs="+", default=[], help="settings over config.yaml, as snakemake"
    )
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="single settings, as snakemake")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1, help="as snakemake (default: all)")
    parser.add_argument(
        "--index", type=Path, help="index.json of the data stage, if it is made already: without, it is made first"
    )
    parser.add_argument("--again", action="store_true", help="measure even if this machine's costs are known")
    args = parser.parse_args(argv)
    config = configuration.load([Path("config.yaml"), *args.configfile], args.config)
    lines = plan(config, args.cores, args.again, args.index)
    show(config, lines, args.cores)


def plan(config: dict, cores: int, again: bool = False, made: Path | None = None) -> list[Line]:
    """The cost of every stage of `rule all` for the configured variant, from scratch. `made`: the dataset's index, if it is there."""
    with tempfile.TemporaryDirectory(prefix="wsss_plan_") as folder:
        scratch = Path(folder)
        path = made or _made(config, scratch)
        index = _index(config, path)
        sample = _sample(config, index)
        known = _cache(config, sample, cores)
        if again or not known.exists():
            sys.stdout.write(f"measuring {len(sample.splits['train'])} images on this machine ...\n")
            opening = _opening(path)
            costs = [replace(cost, start=cost.start + opening) for cost in _calibrate(config, sample, cores, scratch)]
            known.parent.mkdir(parents=True, exist_ok=True)
            artifacts.write_json(known, [asdict(cost) for cost in costs])
        costs = [Cost(**cost) for cost in json.loads(known.read_text())]
    return [_line(cost, config, index, sample, cores) for cost in costs]


def show(config: dict, lines: list[Line], cores: int) -> None:
    """Print the table."""
    table = Table("stage", "jobs", "images or steps", "wall time", "disk GB", "peak GB a job")
    for line in lines:
        units = f"{line.units} {line.what}"
        table.add_row(line.stage, str(line.jobs), units, _time(line.hours), f"{line.disk:.2f}", f"{line.gigabytes:.1f}")
    total = sum(line.hours for line in lines)
    disk, memory = sum(line.disk for line in lines), max(line.gigabytes * min(line.jobs, cores) for line in lines)
    table.add_row("all", str(sum(line.jobs for line in lines)), "", _time(total), f"{disk:.2f}", "", style="bold")
    console = Console()
    console.print(f"{config['dataset']}, variant {config['variant']}, {cores} cores")
    console.print(table)
    console.print(f"Memory at the worst moment: {memory:.1f} GB. From scratch; finished stages cost nothing.")


def _made(config: dict, scratch: Path) -> Path:
    """The whole index, made by the stage itself, so that a faulty dataset is told here."""
    root, path = config["dataset_root"] or str(scratch / "dataset"), scratch / "index.json"
    command = ["data", "--root", root, "--index", str(path), "--dataset", config["dataset"]]
    _run(command, configuration.section(config, "data"), 1)
    return path


def _index(config: dict, path: Path) -> Index:
    index = Index.read(path)
    if findings := missing(index, config["weak"]):
        raise DatasetError(findings)
    return index.only(config["weak"])


def _opening(path: Path) -> float:
    """Seconds that every job takes to open the whole index."""
    began = time.monotonic()
    Index.read(path)
    return time.monotonic() - began


def _sample(config: dict, index: Index) -> Index:
    """As many training images as the largest training batch needs, and a few validation images."""
    variant = config["variant"]
    sections = [configuration.section(config, s, variant) for s in ("classifier", "affinity", "rrm", "dfr", "segment")]
    images = max(section["batch_size"] for section in sections)
    if configuration.uses_objects(config, variant):
        wanted = configuration.section(config, "object_net", variant)["batch_size"]
        images = max(images, _until(index, wanted))
    sizes = {"train": images, "val": VAL_IMAGES}
    return replace(index, splits={split: _first(ids, sizes[split]) for split, ids in index.splits.items()})


def _first(ids: Sequence[str], count: int) -> list[str]:
    """So many ids by their hashes."""
    return heapq.nsmallest(count, ids, key=lambda image: stable_hash(image, "plan"))


def _until(index: Index, boxes: int) -> int:
    """How many training images, by their hashes, have so many boxes, or one more than all of them."""
    count, train = boxes, index.splits["train"]
    while True:
        found = np.cumsum([len(index.records[image].boxes) for image in _first(train, count)])
        if count >= len(train) or found[-1] >= boxes:
            return 1 + int(np.searchsorted(found, boxes))
        count *= 2


def _cache(config: dict, sample: Index, cores: int) -> Path:
    """Where this machine's costs of these images under these options are kept."""
    sections = {name: configuration.section(config, name, config["variant"]) for name in options.SECTIONS}
    known = [sections, sample.splits, config["backbone_weights"], config["device"], cores, _machine()]
    name = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "wsss_stages" / f"plan_{name}.json"


def _machine() -> list[str]:
    return [*os.uname()[1:3], str(os.cpu_count())]


def _calibrate(config: dict, sample: Index, cores: int, scratch: Path) -> Iterator[Cost]:
    """Put the sample through every stage, twice: trainings for one epoch and for more, images to do and done."""
    index, variant = scratch / "sample.json", config["variant"]
    sample.write(index)
    folders = ("s1_classifier", "rrm_train", "dfr_train", "s4_object_net", "s4_affinity", "s7_segment")
    weights = {stage: str(scratch / stage / "weights.safetensors") for stage in folders}
    folders = ("s2_cam", "s3_seeds", "rrm_label", "s5_object_masks", "s5_graph", "s6_propagate")
    made = {stage: str(scratch / stage / "train" / "1-of-1.json") for stage in folders}
    backbone = ["--backbone-weights", config["backbone_weights"]]
    seeds, classifier = ["--seeds-manifest", made["s3_seeds"]], ["--classifier", weights["s1_classifier"]]
    all_seeds, affinity = ["--seeds-manifests", made["s3_seeds"]], ["--affinity", weights["s4_affinity"]]
    objects = ["--objects", made["s5_object_masks"]] if configuration.uses_objects(config, variant) else []
    labels = configuration.MAKERS[configuration.section(config, "segment", variant)["labels"]]
    network, labelled = configuration.predicting(config, variant), configuration.label_stages(config, variant)
    reads: dict[str, tuple[list[str | None], list[str]]] = {  # splits, or None for a training, and what is read
        "s1_classifier": ([None], backbone),
        "s2_cam": (["train"], ["--weights", weights["s1_classifier"]]),
        "s3_seeds": (["train"], ["--cam", made["s2_cam"]]),
        "rrm_train": ([None], ["--backbone", configuration.section(config, "classifier")["backbone"], *backbone]),
        "dfr_train": ([None], []),
        "rrm_label": (["train"], ["--weights", weights["rrm_train"]]),
        "s4_object_net": ([None], [*all_seeds, *classifier]),
        "s5_object_masks": (["train"], [*seeds, "--object-net", weights["s4_object_net"]]),
        "s4_affinity": ([None], [*all_seeds, *classifier]),
        "s5_graph": (["train"], [*seeds, "--cam", made["s2_cam"], *affinity]),
        "s6_propagate": (["train"], [*seeds, "--graph", made["s5_graph"], *affinity, *objects]),
        "s7_segment": ([None], ["--pseudo", made[labels]] if labels else []),
        "s8_predict": (["train", "val"] if "s8_predict" in labelled else ["val"], ["--weights", weights[network]]),
    }
    run = {"s8_predict", *labelled, *configuration.trainings(config, variant)}
    if configuration.uses_cams(config, variant):
        run |= {"s1_classifier", "s2_cam"}
    for stage, split, read in ((stage, s, read) for stage, (splits, read) in reads.items() for s in splits):
        if stage not in run:
            continue
        name = SECTIONS[stage]
        section = configuration.section(config, name, variant)
        command = [stage, "--index", str(index), "--device", config["device"], *read]
        folder = scratch / stage / (split or "")
        if split is None:
            command += ["--weights", str(folder / "weights.safetensors")]
            batches = _batches(sample, stage, section)
            section |= {"class_epochs": 0} if stage == "rrm_train" else {}  # as if every step had all losses
            short, _ = _run(command, {**section, "epochs": 1}, cores)
            long, gigabytes = _run(command, {**section, "epochs": EPOCHS}, cores)
            unit = max(0.0, long - short) / (batches * (EPOCHS - 1))
            start, parts = max(0.0, short - batches * unit), 1
        elif sample.splits[split]:
            command += ["--split", split, "--manifest", str(folder / "1-of-1.json")]
            work, gigabytes = _run(command, section, 1)
            start, _ = _run(command, section, 1)  # everything is there: what is left is the start
            parts = len(sample.splits[split])
            unit = max(0.0, work - start) / parts
        else:
            continue
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        yield Cost(stage, name, split, start, unit, gigabytes, size / parts / 1e6)


def _batches(index: Index, stage: str, section: dict) -> int:
    """Steps of an epoch: over images, or over boxes."""
    items = len(index.splits["train"])
    if stage == "s4_object_net":
        items = round(items * statistics.mean(len(r.boxes) for r in _some(index, "train")))
    return items // section["batch_size"] or 1


def _run(command: list[str], section: dict, threads: int) -> tuple[float, float]:
    """Seconds and peak gigabytes of a stage. Raises PlanError with what it said."""
    line = [sys.executable, "-m", f"wsss_stages.stages.{command[0]}", *command[1:], *shlex.split(cli.flags(section))]
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(line, stdout=said, stderr=said, env=os.environ | {"OMP_NUM_THREADS": str(threads)})
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise PlanError(f"{command[0]} failed on a few images:\n{said.read()}")
    return time.monotonic() - began, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9


def _line(cost: Cost, config: dict, index: Index, sample: Index, cores: int) -> Line:
    if cost.split is None:
        section = configuration.section(config, cost.section, config["variant"])
        steps = _batches(index, cost.stage, section) * section["epochs"]
        return Line(
            cost.stage, 1, steps, "steps", (cost.start + steps * cost.unit) / 3600, cost.gigabytes, cost.megabytes / 1e3
        )
    images, jobs = len(index.splits[cost.split]), config["shards"]
    larger = _pixels(index, cost.split) / _pixels(sample, cost.split)
    rounds = -(-jobs // cores)
    hours = rounds * (cost.start + images / jobs * larger * cost.unit) / 3600
    return Line(cost.stage, jobs, images, "images", hours, cost.gigabytes, images * larger * cost.megabytes / 1e3)


def _pixels(index: Index, split: str) -> float:
    """Mean of an image's pixels."""
    return statistics.fmean(record.height * record.width for record in _some(index, split))


def _some(index: Index, split: str) -> Sequence[Record]:
    """Evenly spread images, at most LOOKED_AT, which tell enough of them all."""
    records = index.split(split)
    return records[:: -(-len(records) // LOOKED_AT)]


def _time(hours: float) -> str:
    return f"{hours:.1f} h" if hours >= 1 else f"{60 * hours:.1f} min"


if __name__ == "__main__":
    cli.run(main)
