"""The demo with a promptable network: a real folder of a tiny random SAM 2, killed in the middle, gone on with, and shown in the report."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.messages import lacking
from tests.workflow.jobs import planned
from wsss_stages.commands.tiny_models import write

pytestmark = pytest.mark.slow
CONFIG = ("--config", "variant=sam", "masks={model: models/sam2}")


def test_masks_of_a_tiny_sam_go_on_after_sigkill_and_are_shown(own):
    write("sam2", own.folder / "models" / "sam2")
    results = own.folder / "results/scenes/box"
    jobs = planned(own.snakemake("-n", *CONFIG))
    assert jobs["s3_masks"] == 1 and not {"data", "s1_classifier", "s2_cam"} & set(jobs)
    masks = results / "sam_ours/s3_masks/train"
    process = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--nocolor", "--cores", "2", *CONFIG], cwd=own.folder, start_new_session=True,
        env=os.environ | {"PATH": f"{own.programs}{os.pathsep}{os.environ['PATH']}"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 1200
    while not list(masks.glob("masks/*.h5")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = {path: path.stat().st_mtime_ns for path in masks.glob("masks/*.h5")}
    assert before and not (results / "sam/report").exists()

    own.snakemake("--unlock", *CONFIG)
    own.snakemake(*CONFIG, "--rerun-incomplete")
    assert len(list(masks.glob("masks/*.h5"))) == 6
    assert all(path.stat().st_mtime_ns == seen for path, seen in before.items()), "whole masks were made again"
    record = json.loads(next(masks.glob("*.json.made.json")).read_text())["runs"][-1]
    assert record["family"] == "Sam2Model" and any("model.safetensors" in name for name in record["inputs"])
    report = results / "sam/report"
    assert (report / "rows.png").stat().st_size > 0
    assert not lacking((report / "substitutions.html").read_text(), "prompts", "boxes_substituted")
    assert "s3_masks" in (report / "costs.html").read_text()
