"""A short run of every road through the image-wise stages, and a way to run a stage so that it dies half way."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.once import once

SMALL = ("--crop", 64, "--batch-size", 4, "--workers", 0, "--epochs", 1)


@dataclass
class Ended:
    """The end of a run: exit code (negative: the signal that killed it), files written in their order, the output."""

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
    """Command lines of stages on the toy's images. What they read is the toy's where one network is as good as another; the rest is
    made when it is first asked for, once for all processes of a test run."""

    def __init__(self, toy, base: Path, server: Server):
        self.root, self.server, self._base = once(base, "road", lambda root: None), server, base
        self.dataset = toy.root / "dataset"
        self._toy = {
            "data": toy.full_index, "weak_index": toy.index, "s1_classifier": toy.classifier, "s2_cam": toy.manifest("s2_cam"),
            "s3_masks": toy.manifest("s3_masks"),
            "s4_affinity": toy.affinity, "s4_object_net": toy.object_net, "s7_segment": toy.segmenter,
        }  # fmt: skip

    def out(self, stage: str, root: Path | None = None) -> Path:
        """Return the file that a stage writes last; below another folder if wanted."""
        if root is None and stage in self._toy:
            return self._toy[stage]
        flag = self._reads(stage)[1]
        name = {"manifest": "1-of-1.json", "weights": "weights.safetensors", "instances": "instances.json"}.get(flag)
        return (root or self.root) / stage / (name or "index.json")

    def argv(self, stage: str, root: Path | None = None) -> list:
        """A stage's command line; its output below another folder if wanted."""
        reads, out, more = self._reads(stage)
        sources = [part for flag, source in reads.items() for part in (f"--{flag}", self.out(source))]
        return [*sources, f"--{out}", self.out(stage, root), *more]

    def make(self, stage: str) -> Path:
        """A stage's output, undisturbed, with all that it takes."""
        if stage not in self._toy:
            for source in self._reads(stage)[0].values():
                self.make(source)
            once(self._base, f"road/{stage}", lambda folder: self._run(stage))
        return self.out(stage)

    def _run(self, stage: str) -> None:
        ended = self.server.run("weak_index" if stage == "tag_index" else stage, self.argv(stage))
        assert ended.code == 0, ended.said

    def _reads(self, stage: str) -> tuple[dict[str, str], str, tuple]:
        """Flags and stages of what a stage reads, the flag of its output, other flags."""
        index, tags = {"index": "weak_index"}, {"index": "tag_index"}
        seeds = {"seeds-manifest": "s3_seeds"}
        tiny = ("--backbone", "tiny", *SMALL)
        detector = ("--width", 16, "--hidden", 32, "--mask-layers", 1, "--proposals", 40, "--samples", 16)
        return {
            "data": ({}, "index", ()),
            "weak_index": ({"index": "data"}, "out", ("--weak", "box")),
            "tag_index": ({"index": "data"}, "out", ("--weak", "tag")),
            "s1_classifier": (index, "weights", tiny),
            "s2_cam": ({**index, "weights": "s1_classifier"}, "manifest", ("--scales", "[1.0]")),
            "s3_masks": (index, "manifest", ()),
            "s3_seeds": ({**index, "cam": "s2_cam", "masks": "s3_masks"}, "manifest", ("--thresholds", "fixed")),
            "s5_graph": ({**index, **seeds, "affinity": "s4_affinity"}, "manifest", ("--walk-powers", "[8]", "--walk-steps", "[64]")),
            "s5_object_masks": ({**index, "masks": "s3_masks", "object-net": "s4_object_net"}, "manifest", ()),
            "s6_propagate": (
                {**index, **seeds, "graph": "s5_graph", "affinity": "s4_affinity", "objects": "s5_object_masks"},
                "manifest",
                ("--epochs-first", 2, "--epochs-second", 2, "--features", 32, "--batch-nodes", 1200),
            ),
            "s8_predict": ({**index, "weights": "s7_segment"}, "manifest", ("--split", "train", "--scales", "[1.0]")),
            "s6_instance_masks": ({**index, "pseudo": "s6_propagate"}, "instances", ()),
            "s7_instances": ({**index, "instances": "s6_instance_masks"}, "weights", (*tiny, "--backbone-weights", "none", *detector)),
            "s8_detect": ({**index, "weights": "s7_instances"}, "manifest", ("--split", "train", "--min-score", 0)),
            "rrm_train": (tags, "weights",
                          (*tiny, "--channels", 16, "--class-epochs", 0, "--scales", "[1.0]", "--crf.iterations", 2)),
            "rrm_label": ({**tags, "weights": "rrm_train"}, "manifest", ("--scales", "[1.0]", "--crf.iterations", 2)),
            "scl_features": ({"index": "data"}, "manifest", ("--backbone", "tiny", "--side", 64)),
        }[stage]  # fmt: skip


@pytest.fixture(scope="session")
def road(toy, tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    server = Server(tmp_path_factory.mktemp("server"))
    yield Road(toy, base, server)
    server.end()
