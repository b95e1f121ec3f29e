"""A short run of every road through the image-wise stages, and a way to run a stage so that it dies half way."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SMALL = ("--crop", 64, "--batch-size", 4, "--workers", 0, "--epochs", 1)
TRAIN, VAL = 6, 6
"""Images of each split."""


@dataclass
class Ended:
    """How a run ended: exit code (negative: the signal that killed it), files written in their order, what it said."""

    code: int
    wrote: list[Path]
    said: str


class Server:
    """`dying_runs.py`, started once."""

    def __init__(self, folder: Path):
        self._log = folder / "log"
        command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("dying_runs.py"))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, stage: str, argv: list, at: int = 0, fault: str = "", room: int = 0, read_only: str = "") -> Ended:
        """A stage's command line; see `dying_runs.run`."""
        self._log.unlink(missing_ok=True)
        argv = list(map(str, argv))
        order = {
            "stage": stage,
            "argv": argv,
            "log": str(self._log),
            "at": at,
            "fault": fault,
            "room": room,
            "read_only": read_only,
        }
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        wrote = self._log.read_text().splitlines() if self._log.exists() else []
        return Ended(code, list(map(Path, wrote)), Path(f"{self._log}.out").read_text())

    def end(self) -> None:
        self._process.communicate()


class Road:
    """Paths and command lines of a few scenes; what a stage reads is made when it is first asked for, by short trainings."""

    def __init__(self, root: Path, server: Server):
        self.root, self.server = root, server
        self.dataset = root / "dataset"
        self._made: set[str] = set()

    def out(self, stage: str, root: Path | None = None) -> Path:
        """What a stage writes last."""
        folder = (root or self.root) / stage
        last = {
            "data": "index.json",
            "weak_index": "index.json",
            "tag_index": "index.json",
            "s6_instance_masks": "instances.json",
        }
        image_wise = "manifest" in self._reads(stage)[1]
        return folder / (last.get(stage) or ("1-of-1.json" if image_wise else "weights.safetensors"))

    def argv(self, stage: str, root: Path | None = None) -> list:
        """A stage's command line; its output below another folder if wanted."""
        reads, out, more = self._reads(stage)
        its = [part for flag, source in reads.items() for part in (f"--{flag}", self.out(source))]
        return [*its, f"--{out}", self.out(stage, root), *more]

    def make(self, stage: str) -> Path:
        """A stage's output, undisturbed, with all that it takes."""
        if stage not in self._made:
            for source in self._reads(stage)[0].values():
                self.make(source)
            ended = self.server.run("weak_index" if stage == "tag_index" else stage, self.argv(stage))
            assert ended.code == 0, ended.said
            self._made.add(stage)
        return self.out(stage)

    def _reads(self, stage: str) -> tuple[dict[str, str], str, tuple]:
        """Flags and stages of what a stage reads, the flag of its output, other flags."""
        index = {"index": "weak_index"}
        seeds = {"seeds-manifest": "s3_seeds"}
        trained = {**index, "seeds-manifests": "s3_seeds", "classifier": "s1_classifier"}
        tiny = ("--backbone", "tiny", *SMALL)
        scenes = (
            "--root",
            self.dataset,
            "--kind",
            "scenes",
            "--scenes-train",
            TRAIN,
            "--scenes-val",
            VAL,
            "--dataset",
            "toy",
        )
        detector = ("--width", 16, "--hidden", 32, "--mask-layers", 1, "--proposals", 40, "--samples", 16)
        return {
            "data": ({}, "index", scenes),
            "weak_index": ({"index": "data"}, "out", ("--weak", "box")),
            "tag_index": ({"index": "data"}, "out", ("--weak", "tag")),
            "s1_classifier": (index, "weights", tiny),
            "s2_cam": ({**index, "weights": "s1_classifier"}, "manifest", ("--scales", "[1.0]")),
            "s3_seeds": ({**index, "cam": "s2_cam"}, "manifest", ("--thresholds", "fixed")),
            "s4_affinity": (trained, "weights", ("--radius", 2, *SMALL)),
            "s4_object_net": (trained, "weights", ("--width", 16, *SMALL)),
            "s5_graph": ({**index, **seeds, "affinity": "s4_affinity"}, "manifest", ("--walk-powers", "[8]", "--walk-steps", "[64]")),
            "s5_object_masks": ({**index, **seeds, "object-net": "s4_object_net"}, "manifest", ()),
            "s6_propagate": (
                {**index, **seeds, "graph": "s5_graph", "affinity": "s4_affinity", "objects": "s5_object_masks"},
                "manifest",
                ("--epochs-first", 2, "--epochs-second", 2, "--features", 32, "--batch-nodes", 1200),
            ),
            "s7_segment": ({**index, "pseudo": "s6_propagate"}, "weights",
                           ("--backbone-weights", "none", "--head-channels", 16, *tiny)),
            "s8_predict": ({**index, "weights": "s7_segment"}, "manifest", ("--scales", "[1.0]")),
            "s6_instance_masks": ({**index, "pseudo": "s6_propagate"}, "instances", ()),
            "s7_instances": ({**index, "instances": "s6_instance_masks"}, "weights", (*tiny, *detector)),
            "s8_detect": ({**index, "weights": "s7_instances"}, "manifest", ("--min-score", 0)),
            "rrm_train": ({"index": "tag_index"}, "weights",
                          (*tiny, "--channels", 16, "--class-epochs", 0, "--scales", "[1.0]", "--crf.iterations", 2)),
            "rrm_label": ({"index": "tag_index", "weights": "rrm_train"}, "manifest",
                          ("--scales", "[1.0]", "--crf.iterations", 2)),
            "scl_features": ({"index": "data"}, "manifest", ("--backbone", "tiny", "--side", 64)),
        }[stage]  # fmt: skip


@pytest.fixture(scope="session")
def road(tmp_path_factory):
    root = tmp_path_factory.mktemp("road")
    server = Server(root)
    yield Road(root, server)
    server.end()
