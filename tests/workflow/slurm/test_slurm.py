"""The profile for a cluster on a real SLURM of one node: every stage a job, requeued jobs, jobs that run out of time."""

import os
import re
import select
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from tests.messages import lacking

pytestmark = [pytest.mark.slow, pytest.mark.slurm]
PROFILE = Path(__file__).parents[3] / "profiles" / "slurm" / "config.yaml"
SITE = ("--workflow-profile", "profile", "--slurm-status-command", "squeue", "--max-threads", "2")


def with_profile(project) -> dict:
    """The repository's profile with what only this site knows; a node without accounts, GPUs and much memory."""
    profile = yaml.safe_load(PROFILE.read_text())
    profile["default-resources"] = {"slurm_partition": "main", "mem_mb": 2000}
    profile["set-resources"] = {rule: {"mem_mb": 3000} for rule in profile["set-resources"]}
    profile |= {"slurm-no-account": True, "latency-wait": 10, "seconds-between-status-checks": 3}
    profile["slurm-init-seconds-before-status-checks"] = 3
    return write(project, profile)


def write(project, profile: dict) -> dict:
    (project.folder / "profile").mkdir(exist_ok=True)
    (project.folder / "profile" / "config.yaml").write_text(yaml.safe_dump(profile))
    return profile


def job_of(slurm, rule: str, state: str) -> str:
    """Number of a rule's job, once it is in this state."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for line in slurm("squeue", "-h", "-t", state, "-o", "%i %k").splitlines():
            number, comment = line.split(maxsplit=1)
            if rule in comment:
                return number
        time.sleep(0.2)
    raise AssertionError(f"no job of {rule} in state {state} within two minutes: {slurm('squeue')}")


def test_every_stage_is_a_job_and_a_requeued_one_goes_on(slurm, project):
    with_profile(project)
    with project.running(*SITE, "results/scenes/box/ours/s9_evaluate/val/scores.json", "--config", "shards=2") as end:
        number = job_of(slurm, "s1_classifier", "RUNNING")
        slurm("scontrol", "requeue", number)
        assert job_of(slurm, "s1_classifier", "PENDING") == number
        slurm("scontrol", "update", f"jobid={number}", "StartTime=now")  # not after the usual two minutes
        output = end()
    rules = set(re.findall(r"slurm_logs/rule_(\w+)/", output))
    stages = {
        "s1_classifier",
        "s2_cam",
        "s3_masks",
        "s3_seeds",
        "s4_affinity",
        "s4_object_net",
        "s5_graph",
        "s5_object_masks",
    }
    assert rules >= stages | {"data", "weak_index", "s6_propagate", "s7_segment", "s8_predict", "s9_evaluate"}
    jobs = slurm("scontrol", "show", "job", number)
    assert re.search(r"JobState=COMPLETED", jobs) and re.search(r"Restarts=1\b", jobs), jobs


def test_a_job_out_of_time_goes_on_in_its_next_try(slurm, project):
    profile = with_profile(project)
    minutes = "2 * attempt**2"  # two, enough to tell a step on a busy machine, then eight
    profile["set-resources"]["s1_classifier"]["runtime"] = minutes
    write(project, profile)
    weights = "results/scenes/s1_classifier/weights.safetensors"
    train(project, epochs=30)
    project.snakemake(weights)
    log = project.folder / "logs" / "scenes" / "s1_classifier.log"
    rate = float(re.findall(r"([\d.]+) images a second", log.read_text())[-1])
    train(project, epochs=int(40 * rate / 6))  # of six images; a step is told after ten seconds
    with project.running(*SITE, weights) as end:
        number = training(project, log)
        process = os.pidfd_open(number)
        os.kill(number, signal.SIGSTOP)  # its time passes; SLURM continues what it ends
        select.select([process], [], [], 300)
        os.close(process)
        assert not lacking(first := log.read_text(), "s1_classifier: ", "SIGTERM"), first
        output = end()
    assert "Trying to restart job" in output
    assert not lacking(second := log.read_text(), "s1_classifier: ", "resumed"), first + second


def training(project, log: Path) -> int:
    """Process of the classifier's training, once it has told a step."""
    begun, deadline = time.time(), time.monotonic() + 180
    while time.monotonic() < deadline:
        if log.exists() and log.stat().st_mtime > begun and "step" in log.read_text():
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):  # of processes that have ended
                    command = (process / "cmdline").read_text().split("\0")
                    if "wsss_stages.stages.s1_classifier" in command and (process / "cwd").resolve() == project.folder:
                        return int(process.name)
        time.sleep(0.2)
    raise AssertionError(f"no step of a training within three minutes: {log.read_text()}")


def train(project, epochs: int) -> None:
    """Set how long the classifier trains."""
    demo = yaml.safe_load(project.demo.read_text())
    demo["classifier"]["epochs"] = epochs
    project.demo.write_text(yaml.safe_dump(demo))
