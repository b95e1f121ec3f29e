"""`wsss run` on drawn scenes: asked, stopped, killed, gone on with, finished; plain snakemake then has nothing to do."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.messages import lacking
from wsss_stages.commands.run import turn
from wsss_stages.data.importers.scenes import make_scenes

ROOT = Path(__file__).parents[2]
SMALL = "crop: 64, batch_size: 4, workers: 0, epochs: 1, head_lr_factor: 1"
SETTINGS = [
    "backbone_weights=none", "shards=1", "report_images=2", "cam={scales: [1.0]}", "predict={scales: [1.0]}",
    f"classifier={{backbone: tiny, {SMALL}}}", f"object_net={{width: 16, {SMALL}}}", f"affinity={{{SMALL}}}",
    f"segment={{head_channels: 16, {SMALL}}}", "propagate={epochs_first: 2, epochs_second: 2, features: 32}", "tensorboard=true",
]  # fmt: skip


class Runs:
    """Calls of `wsss` in a folder."""

    def __init__(self, home: Path):
        self.home, self.log = home, home / "logs" / "photos" / "snakemake.log"

    def start(self, *words: str) -> subprocess.Popen:
        self.log.unlink(missing_ok=True)
        return subprocess.Popen(
            [sys.executable, "-m", "wsss_stages.commands.wsss", *words], cwd=self.home, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def end(self, process: subprocess.Popen, code: int = 0) -> str:
        output, _ = process.communicate(timeout=900)
        assert process.returncode == code, output
        return output

    def wait_for(self, text: str, process: subprocess.Popen) -> None:
        """Wait until Snakemake's output of this run has a text."""
        while process.poll() is None and not (self.log.is_file() and text in self.log.read_text()):
            time.sleep(0.1)
        assert process.poll() is None, process.communicate()[0]


@pytest.fixture
def runs(tmp_path):
    make_scenes(tmp_path / "photos", 6, 2)
    return Runs(tmp_path)


@pytest.mark.slow
def test_a_run_is_stopped_killed_and_finished_by_the_same_command(runs):
    home = runs.home
    asks = runs.end(runs.start("run", "photos", "--config", *SETTINGS), 1)
    assert not lacking(asks, "6 to learn from, 2 to validate on", "--weak box", "--weak scribble")
    assert not (home / "results/photos/wsss.yaml").exists()

    first = runs.start("run", "photos", "--weak", "box", "--cores", "2", "--config", *SETTINGS)
    runs.wait_for("Shell command: exec env WSSS_TENSORBOARD=1 python -m wsss_stages.stages.s1_classifier", first)
    first.send_signal(signal.SIGINT)
    assert not lacking(runs.end(first, 130), "stopping", "stopped; go on with the same command")
    assert not turn.at_work(home) and not turn.locked(home)

    second = runs.start("run", "photos", "--cores", "2")
    runs.wait_for("Finished jobid", second)
    (snakemake,) = (pid for pid in turn.at_work(home) if os.getpgid(pid) == pid)
    second.kill()
    time.sleep(1)
    assert turn.at_work(home)  # Snakemake lives on, and keeps the folder
    assert not lacking(runs.end(runs.start("run", "photos"), 1), "found a run at work", "wanted none")
    os.killpg(snakemake, signal.SIGKILL)
    assert "wsss.yaml" in runs.end(second, -signal.SIGKILL)
    while turn.at_work(home):
        time.sleep(0.1)
    assert turn.locked(home)

    last = runs.end(runs.start("run", "photos", "--cores", "2"))
    assert not lacking(last, "lock is removed", "done", "masks", "segmenter", "mIoU", "wsss report photos --open")
    variant = home / "results/photos/box/ours"
    assert len(list((variant / "s6_propagate/train/pseudo").glob("*.png"))) == 6
    assert list((variant / "s7_segment").glob("events.out.tfevents.*"))

    plain = [sys.executable, "-m", "snakemake", "-n", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(home)]
    done = subprocess.run(
        [*plain, "--cores", "1", "--configfile", str(home / "results/photos/wsss.yaml")], capture_output=True, text=True
    )
    assert "Nothing to be done" in done.stdout + done.stderr
    refused = runs.end(runs.start("run", "photos", "--variant", "grabcut"), 1)
    assert not lacking(refused, "wsss.yaml", "variant: the default ... grabcut", "--yes")
    assert "report.html" in runs.end(runs.start("report", "photos", "--images", "2"))
    page = (variant / "report.html").read_text()
    assert "Left out" not in page and "<b>8</b>" in page

    (home / "corrected").mkdir()
    mask = next((variant / "s6_propagate/train/pseudo").glob("*.png"))
    shutil.copy(mask, home / "corrected")
    shutil.copy(home / "photos/classes.txt", home / "corrected")
    runs.end(runs.start("import", "photos", "--corrections", "corrected"))
    again = runs.start("run", "photos", "--cores", "2")
    runs.wait_for("python -m wsss_stages.stages.s", again)
    again.send_signal(signal.SIGINT)
    assert not lacking(runs.end(again, 130), "corrected by hand, which is their label: 1", mask.stem, "stopped")


@pytest.mark.slow
def test_a_faulty_folder_is_reported_with_its_findings(runs):
    (runs.home / "photos/Annotations").joinpath("scene_0001.xml").write_text("<annotation>")
    output = runs.end(runs.start("run", "photos", "--weak", "box", "--config", *SETTINGS), 1)
    assert not lacking(output, "failed: reading the folder (data)", "data.log", "scene_0001.xml", "wanted")
    assert not (runs.home / "results/photos/wsss.yaml").exists()
