"""Measurements of the cost of every stage on this machine, with a few images."""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from wsss_stages.commands.plan.sample import batches
from wsss_stages.config import dag, variants
from wsss_stages.data.index import Index
from wsss_stages.stages import cli
from wsss_stages.store.progress import progress

SECTIONS = {"s1_classifier": "classifier", **dag.STAGES}
"""Config section of every stage."""
EPOCHS = 3
"""Epochs of the second of two timed trainings on the sample; the first has one."""
ALL_LOSSES = {"rrm_train": {"class_epochs": 0, "distance_ramp": 0}, "dfr_train": {"ramp_begins": 0, "ramp_ends": 0}}
"""Overrides that give every step of a training all the losses of the stage."""


ALONE = {"s5_walk": ("--chosen", "walk.json"), "s6_instance_masks": ("--instances", "instances.json")}
"""Stages that take all images in one job and keep none of them: the flag and the name of their file."""


class PlanError(ValueError):
    """A stage that fails on a few images would fail in the run."""


@dataclass
class Cost:
    """The measured cost of one stage on this machine."""

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


def calibrate(config: dict, sample: Index, cores: int, scratch: Path, target: str = "all") -> Iterator[Cost]:
    """Put the sample through every stage of a target, twice: trainings for one epoch and for more, images to do and done."""
    index, variant = scratch / "sample.json", config["variant"]
    sample.write(index)
    folders = ("s1_classifier", "rrm_train", "dfr_train", "s4_object_net", "s4_affinity", "s7_segment", "s7_instances")
    weights = {stage: str(scratch / stage / "weights.safetensors") for stage in folders}
    folders = ("s2_cam", "s3_masks", "s3_seeds", "rrm_label", "s5_object_masks", "s5_graph", "s6_propagate")
    made = {stage: str(scratch / stage / "train" / "1-of-1.json") for stage in folders}
    backbone = ["--backbone-weights", config["backbone_weights"]]
    named = ["--backbone", variants.section(config, "classifier")["backbone"], *backbone]
    seeds, classifier = ["--seeds-manifest", made["s3_seeds"]], ["--classifier", weights["s1_classifier"]]
    masked, prompted = dag.uses_masks(config, variant), dag.masks_need_cams(config, variant)
    masks = ["--masks", made["s3_masks"]]
    clip = variants.section(config, "cam", variant)["source"] == "clip"
    start = named if clip else classifier
    all_seeds, graph = ["--seeds-manifests", made["s3_seeds"]], _of_graph(config, weights)
    cams = ["--cams", made["s2_cam"]] if variants.section(config, "graph", variant)["seeds"] == "cam" else []
    objects = ["--objects", made["s5_object_masks"]] if dag.uses_objects(config, variant) else []
    on = classifier if variants.section(config, "rrm", variant)["start"] == "classifier" else []
    labels = dag.MAKERS[variants.section(config, "segment", variant)["labels"]]
    objects_of = dag.MAKERS[variants.section(config, "instance_masks", variant)["labels"]]
    network, labelled = dag.predicting(config, variant), dag.label_stages(config, variant)
    reads: dict[str, tuple[list[str | None], list[str]]] = {  # splits, or None for a training, and what is read
        "s1_classifier": ([None], backbone),
        "s2_cam": (["train"], [] if clip else ["--weights", weights["s1_classifier"]]),
        "s3_masks": (["train"], ["--cam", made["s2_cam"]] if prompted else []),
        "s3_seeds": (["train"], ["--cam", made["s2_cam"], *(masks if masked else [])]),
        "rrm_train": ([None], [*named, *on]),
        "dfr_train": ([None], []),
        "rrm_label": (["train"], ["--weights", weights["rrm_train"]]),
        "s4_object_net": ([None], [*masks, *start]),
        "s5_object_masks": (["train"], [*masks, "--object-net", weights["s4_object_net"]]),
        "s4_affinity": ([None], [*all_seeds, *start]),
        "s5_walk": (["train"], [*all_seeds, *cams, *graph]),
        "s5_graph": (["train"], [*seeds, "--cam", made["s2_cam"], *graph]),
        "s6_propagate": (["train"], [*seeds, "--graph", made["s5_graph"], *graph, *objects]),
        "s7_segment": ([None], ["--pseudo", made[labels]] if labels else []),
        "s8_predict": (["train", "val"] if "s8_predict" in labelled else ["val"], ["--weights", weights[network]]),
        "s6_instance_masks": (["train"], ["--pseudo", made[objects_of]] if objects_of else []),
        "s7_instances": ([None], ["--instances", str(scratch / "s6_instance_masks" / "train" / "instances.json")]),
        "s8_detect": (["val"], ["--weights", weights["s7_instances"]]),
    }
    needed = {"s8_predict", *labelled, *dag.trainings(config, variant)}
    if target == "instances":
        needed = (needed - {"s8_predict", "s7_segment"}) | {"s6_instance_masks", "s7_instances", "s8_detect"}
    if "s5_graph" in labelled and dag.chooses_walk(config, variant):
        needed.add("s5_walk")
    if dag.uses_cams(config, variant):
        needed.add("s2_cam")
    if dag.uses_classifier(config, variant):
        needed.add("s1_classifier")
    if masked:
        needed.add("s3_masks")
    todo = [
        (stage, split, read)
        for stage, (splits, read) in reads.items()
        for split in splits
        if stage in needed and (split is None or sample.splits[split])
    ]
    for stage, split, read in progress(todo, "plan", lambda job: _measured(*job[:2], sample)):
        name = SECTIONS[stage]
        section = variants.section(config, name, variant)
        device = [] if stage == "s6_instance_masks" else ["--device", config["device"]]
        command = [stage, "--index", str(index), *device, *read]
        folder = scratch / stage / (split or "")
        if split is None:
            command += ["--weights", str(folder / "weights.safetensors")]
            steps = batches(sample, stage, section)
            section |= {"held_out": 0, "frozen_share": 0}  # as if every image were learned from, by all layers
            section |= ALL_LOSSES.get(stage, {})
            short, _ = run(command, {**section, "epochs": 1}, cores)
            long, gigabytes = run(command, {**section, "epochs": EPOCHS}, cores)
            unit = max(0.0, long - short) / (steps * (EPOCHS - 1))
            start, parts = max(0.0, short - steps * unit), 1
        elif stage in ALONE:
            one, parts = scratch / "one.json", len(sample.splits[split])
            replace(sample, splits={split: sample.splits[split][:1], "val": []}).write(one)
            flag, name_of_file = ALONE[stage]
            command += [flag, str(folder / name_of_file)]
            work, gigabytes = run(command, section, 1)
            least, _ = run(
                [*command, "--index", str(one), flag, str(scratch / "one_made.json")], section, 1
            )  # the last of a flag counts
            unit = max(0.0, work - least) / max(1, parts - 1)
            start = max(0.0, least - unit)
        else:
            command += ["--split", split, "--manifest", str(folder / "1-of-1.json")]
            if stage == "s5_graph":  # the longest walk that may be chosen
                section |= {"walk_powers": section["walk_powers"][:1], "walk_steps": [max(section["walk_steps"])]}
            work, gigabytes = run(command, section, 1)
            start, _ = run(command, section, 1)  # all images are done: only the start is measured
            parts = len(sample.splits[split])
            unit = max(0.0, work - start) / parts
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        yield Cost(stage, name, split, start, unit, gigabytes, size / parts / 1e6)


def _measured(stage: str, split: str | None, sample: Index) -> str:
    """Return what is measured of a stage, for the line of progress."""
    if split is None:
        return f"{stage}: {1 + EPOCHS} epochs on {len(sample.splits['train'])} images"
    return f"{stage}: {len(sample.splits[split])} images of {split}"


def _of_graph(config: dict, weights: dict[str, str]) -> list[str]:
    """Return the flags of the weights that graphs are made with."""
    needs = dag.graph(config, config["variant"])
    given = {"affinity": ("s4_affinity", needs.needs_affinity), "classifier": ("s1_classifier", needs.needs_classifier)}
    return [part for flag, (stage, used) in given.items() if used for part in (f"--{flag}", weights[stage])]


def run(command: list[str], section: dict, threads: int) -> tuple[float, float]:
    """Return the seconds and peak gigabytes of a stage. Raises PlanError with the stage's output."""
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
