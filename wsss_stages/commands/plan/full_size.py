"""Plans of full-size runs without the data: images, steps and operations from the run files, seconds by what full_size.yaml says."""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict

from wsss_stages.commands.plan.operations import STEP, counted
from wsss_stages.config import dag, run_settings, variants
from wsss_stages.config.home import workflow_folder

FILE = workflow_folder() / "workflow" / "full_size.yaml"
PNG = 12e3
"""Bytes of a label map."""


class Sizes(BaseModel):
    """A dataset's numbers: images, pixels of a usual photograph, objects in it, classes without background."""

    model_config = ConfigDict(extra="forbid")

    train: int
    val: int
    height: int
    width: int
    objects: float
    classes: int

    @property
    def larger(self) -> float:
        """Return the pixels of a photograph over those of one of VOC."""
        return self.height * self.width / (375 * 500)


class Machine(BaseModel):
    """The machine that hours are given for."""

    model_config = ConfigDict(extra="forbid")

    operations: float
    """Operations of a network in a second of a GPU."""
    cores: int
    gpus: int


@cache
def read() -> tuple[dict[str, Sizes], dict[str, float], Machine]:
    """Return the datasets, seconds of a processor by what it does, and the machine."""
    content = yaml.safe_load(FILE.read_text())
    datasets = {name: Sizes(**sizes) for name, sizes in content["datasets"].items()}
    return datasets, {name: m["seconds"] for name, m in content["measured"].items()}, Machine(**content["machine"])


class Work(NamedTuple):
    """The work of a stage: units, operations of a network in each, seconds of a processor in each, bytes on disk of all."""

    units: int
    what: str
    operations: float = 0.0
    seconds: float = 0.0
    disk: float = 0.0


@dataclass(frozen=True)
class Line:
    """The estimated cost of a stage."""

    stage: str
    jobs: int
    work: Work
    hours: float


class FullSize:
    """The plan of a run on a dataset at its full size."""

    def __init__(self, runs: list[str], target: str = "all"):
        """
        Args:
            target: all, instances, or scl, which trains the variants of `scl_variants` on all folds.
        """
        self.config = run_settings.load(runs)
        self.road = (self.config, self.config["variant"], self.config["weak"])
        datasets, self.measured, self.machine = read()
        self.sizes, self.target = datasets[self.config["dataset"]], target

    def section(self, name: str) -> dict[str, Any]:
        return variants.section(self.config, name, *self.road[1:])

    def lines(self) -> list[Line]:
        """Return the cost of every stage in the order of the data."""
        return [self._line(stage, work) for stage, work in self.works().items()]

    def works(self) -> dict[str, Work]:
        """Return the work of every stage of the target."""
        if self.target == "scl":
            return self._few_shot()
        stages = {*dag.label_stages(*self.road), *dag.trainings(*self.road)}
        if self.target == "instances":
            stages -= {"s7_segment"}
            stages |= {"s6_instance_masks", "s7_instances", "s8_detect"}
        else:
            stages |= {"s8_predict"}
        if dag.uses_cams(*self.road):
            stages |= {"s2_cam"}
        if dag.uses_masks(*self.road):
            stages |= {"s3_masks"}
        if "s5_graph" in stages and dag.chooses_walk(*self.road):
            stages |= {"s5_walk"}
        first = {"s1_classifier": self.s1_classifier()} if dag.uses_classifier(*self.road) else {}
        return first | {stage: getattr(self, stage)() for stage in dag.STAGES if stage in stages}

    def _line(self, stage: str, work: Work) -> Line:
        jobs = self.config["shards"] if work.what == "images" else 1
        on_gpu = work.operations / self.machine.operations / self.machine.gpus
        cores = self.machine.cores if work.what == "images" else 1
        return Line(stage, jobs, work, work.units * (on_gpu + work.seconds / cores) / 3600)

    def s1_classifier(self) -> Work:
        opt = self.section("classifier")
        views = 1 + opt["seam_scale"] ** 2 if opt["method"] == "seam" else 1
        return self._training("backbone", opt, opt["backbone"], views=views)

    def s2_cam(self) -> Work:
        opt, classifier = self.section("cam"), self.section("classifier")
        forward, _ = self._image("backbone", classifier["backbone"], classifier["stride"])
        nodes = math.prod(-(-side // classifier["stride"]) for side in (self.sizes.height, self.sizes.width))
        views = sum(scale**2 for scale in opt["scales"]) * (1 + opt["flip"])
        return self._images(forward * views, "other", 1.5 * nodes * 2)

    def s3_masks(self) -> Work:
        work = self._images(0.0, "other", PNG)
        return work._replace(seconds=self.sizes.objects * self._seconds("grabcut"))

    def s3_seeds(self) -> Work:
        return self._images(0.0, "crf", 4 * PNG)._replace(seconds=2 * self._seconds("crf"))

    def rrm_train(self) -> Work:
        opt = self.section("rrm")
        cams = sum(scale**2 for scale in opt["scales"])
        work = self._training("backbone", opt, self.section("classifier")["backbone"])
        return work._replace(
            operations=work.operations * (1 + cams / STEP),
            seconds=opt["batch_size"] * 2 * self.measured["crf"] / self.machine.cores,
        )

    def rrm_label(self) -> Work:
        return self._predicted(
            self.section("rrm_label"),
            self._image("backbone", self.section("classifier")["backbone"], 8)[0],
            self.sizes.train,
        )

    def dfr_train(self) -> Work:
        opt = self.section("dfr")
        return self._training("dfr", opt, opt["backbone"], (self.sizes.classes + 1, opt["channels"], opt["features"]))

    def s4_object_net(self) -> Work:
        opt = self.section("object_net")
        work = self._training("pyramid", opt, self.section("classifier")["backbone"])
        return work._replace(units=round(work.units * self.sizes.objects))

    def s4_affinity(self) -> Work:
        return self._training("backbone", self.section("affinity"), self.section("classifier")["backbone"])

    def s5_object_masks(self) -> Work:
        opt = self.section("object_masks")
        forward, _ = counted("pyramid", 160, 160, self.section("classifier")["backbone"], 4)
        return self._images(forward * len(opt["margins"]) * self.sizes.objects, "other", 4 * PNG)

    def s5_walk(self) -> Work:
        work = self.s5_graph()
        return work._replace(units=min(self.sizes.train, 1000), what="images of one job", disk=0.0)

    def s5_graph(self) -> Work:
        opt = self.section("affinity")
        nodes = self.sizes.height * self.sizes.width / 64
        window = math.pi * opt["radius"] ** 2 if opt["window"] == "disc" else (2 * opt["radius"] + 1) ** 2
        forward, _ = self._image("backbone", self.section("classifier")["backbone"], 8)
        return self._images(forward, "other", nodes * window / 2 * 2 + PNG)

    def s6_propagate(self) -> Work:
        forward, _ = self._image("backbone", self.section("classifier")["backbone"], 8)
        opt = self.section("propagate")
        share = (opt["epochs_first"] + opt["epochs_second"]) / 100
        return self._images(forward, "a2gnn", 2 * PNG)._replace(seconds=share * self._seconds("a2gnn"))

    def s6_instance_masks(self) -> Work:
        return self._images(0.0, "other", 2 * PNG)._replace(what="images of one job")

    def s7_segment(self) -> Work:
        opt = self.section("segment")
        more = 1 + sum(scale**2 for scale in opt["loss_scales"])
        return self._training("segmenter", opt, opt["backbone"], self._head(), views=more)

    def s7_instances(self) -> Work:
        work = self._training("pyramid", self.section("instances"), self._detector())
        return work._replace(operations=2 * work.operations)  # its heads are taken for as much as its backbone

    def s8_predict(self) -> Work:
        opt, network = self.section("predict"), dag.predicting(*self.road)
        if network == "rrm_train":
            forward, _ = self._image("backbone", self.section("classifier")["backbone"], 8)
        elif network == "dfr_train":
            dfr = self.section("dfr")
            forward = counted(
                "dfr", 512, 512, dfr["backbone"], 4, self.sizes.classes + 1, dfr["channels"], dfr["features"]
            )[0]
            forward *= self.sizes.height * self.sizes.width / 512**2
        else:
            segment = self.section("segment")
            forward, _ = self._image("segmenter", segment["backbone"], segment["stride"], *self._head())
        images = self.sizes.val + (self.sizes.train if network == "dfr_train" else 0)
        return self._predicted(opt, forward, images)

    def s8_detect(self) -> Work:
        side = self.section("instances")["crop"]
        forward, _ = counted("pyramid", side, side, self._detector(), 4)
        return Work(self.sizes.val, "images", 2 * forward, self._seconds("other"), self.sizes.val * 2 * PNG)

    def _few_shot(self) -> dict[str, Work]:
        episodes, maps, opt = (self.section(name) for name in ("scl_episodes", "scl_features", "scl"))
        side, backbone = maps["side"], self.section("classifier")["backbone"]
        forward, weights = counted("backbone", side, side, backbone, 8)
        nodes = (side // maps["stride"]) ** 2
        channels = 1536 + (2048 if any("pfenet" in name for name in self._variants()) else 0)
        images = self.sizes.train + self.sizes.val
        held = nodes * channels * 2
        folds, trained = len(self.section("tables")["folds"]), len(self._variants())
        steps = folds * trained * opt["epochs"] * (episodes["train_pairs"] // opt["batch_size"])
        head = 2 * 9 * nodes * opt["channels"] ** 2 * 20 * opt["batch_size"]  # about twenty convolutions of 3 x 3
        tests = folds * trained * episodes["test_pairs"] * episodes["test_seeds"]
        return {
            "scl_features": Work(images, "images", forward, self._seconds("other"), images * held),
            "scl_train": Work(steps, "steps", STEP * head, 0.0, folds * trained * weights),
            "scl_evaluate": Work(tests, "episodes", 6 * head / opt["batch_size"], self.measured["other"]),
        }

    def _variants(self) -> list[str]:
        """Return the few-shot networks of the run's table."""
        if self.config["dataset"] == "pascal5i":
            return ["canet", "canet_scl", "pfenet", "pfenet_scl"]
        return ["canet", "canet_scl"] if "2017" in self.config["dataset"] else ["pfenet", "pfenet_scl"]

    def _training(self, kind: str, opt: dict[str, Any], backbone: str, head: tuple = (), views: float = 1.0) -> Work:
        """Return the work of a training on square crops; a step is a batch."""
        stride = 4 if kind in ("dfr", "pyramid") else opt.get("stride", 8)
        forward, weights = counted(kind, opt["crop"], opt["crop"], backbone, stride, *head)
        steps = opt["epochs"] * max(1, self.sizes.train // opt["batch_size"])
        return Work(steps, "steps", STEP * views * opt["batch_size"] * forward, 0.0, 3 * weights)

    def _image(self, kind: str, backbone: str, stride: int, *head: Any) -> tuple[float, float]:
        return counted(kind, self.sizes.height, self.sizes.width, backbone, stride, *head)

    def _images(self, operations: float, seconds: str, disk: float) -> Work:
        """Return the work of a stage on the training images; `disk` is of one."""
        return Work(self.sizes.train, "images", operations, self._seconds(seconds), self.sizes.train * disk)

    def _predicted(self, opt: dict[str, Any], forward: float, images: int) -> Work:
        views = sum(scale**2 for scale in opt["scales"]) * (1 + opt["flip"])
        crf = self._seconds("crf") if opt["crf"]["iterations"] else 0.0
        return Work(images, "images", forward * views, self._seconds("other") + crf, images * PNG)

    def _seconds(self, name: str) -> float:
        """Return the measured seconds at this dataset's pixels."""
        return self.measured[name] * self.sizes.larger

    def _head(self) -> tuple:
        opt = self.section("segment")
        return self.sizes.classes + 1, opt["head"], opt["head_channels"]

    def _detector(self) -> str:
        return self.section("instances")["backbone"]
